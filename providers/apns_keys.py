"""What Apple gives a team: the signing key, as a .p8 file."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .certificates import pem, write_secret


def signing_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Return the public half of the key kept in a .p8 file, made (readable by its owner alone) if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_secret(path, pem(ec.generate_private_key(ec.SECP256R1())))
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.public_key()
