"""The machine around the project: packages, virtual environment, database cluster, processes. Standard library only."""
