"""How well fences and beacons do on recorded phones; pure but for the files it reads, see docs/algorithms/geofence.md."""
