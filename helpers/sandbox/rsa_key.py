"""An RSA key of 2048 bits that signs with SHA-256: by `cryptography`, or in pure Python where there is none."""

from __future__ import annotations

import math
import sys
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from rsa import PrivateKey

BITS = 2048

# What stands before the two numbers in the public key of every RSA key of this size: its kind and length.
_SUBJECT_PUBLIC_KEY_INFO = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00")


class RsaKey(Protocol):
    """Both implementations. What one writes, the other reads."""

    @property
    def numbers(self) -> tuple[int, int]:
        """Modulus and exponent of the public key."""

    def public_bytes(self) -> bytes:
        """Return the public key (DER, SubjectPublicKeyInfo)."""

    def to_pem(self) -> bytes:
        """Return the private key, for the store."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature (PKCS #1 v1.5)."""

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Say whether a signature is this key's."""


class CryptographyKey:
    """By `cryptography`. A signature costs about 0.25 ms, during which other threads run.

    It is imported where it is used: it costs a tenth of a second.
    """

    def __init__(self, key: RSAPrivateKey) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        self._key = key
        self._public_key = key.public_key()
        self._padding = padding.PKCS1v15()
        self._hash = hashes.SHA256()

    @classmethod
    def generate(cls) -> CryptographyKey:
        from cryptography.hazmat.primitives.asymmetric import rsa

        return cls(rsa.generate_private_key(public_exponent=65537, key_size=BITS))

    @classmethod
    def from_pem(cls, pem: bytes) -> CryptographyKey:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        # Its own key, from its own store: the long check of a foreign key's numbers is not needed.
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, RSAPrivateKey)
        return cls(key)

    @property
    def numbers(self) -> tuple[int, int]:
        numbers = self._public_key.public_numbers()
        return numbers.n, numbers.e

    def public_bytes(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        return self._public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def to_pem(self) -> bytes:
        from cryptography.hazmat.primitives import serialization

        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, self._padding, self._hash)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            self._public_key.verify(signature, message, self._padding, self._hash)
        except InvalidSignature:
            return False
        return True


class PurePythonKey:
    """By `rsa`. In a browser a signature costs about 30 ms, and a new key about a second."""

    def __init__(self, key: PrivateKey) -> None:
        from rsa import PublicKey

        self._key = key
        self._public_key = PublicKey(key.n, key.e)

    @classmethod
    def generate(cls) -> PurePythonKey:
        from rsa import PrivateKey
        from rsa.key import gen_keys

        p, q, public_exponent, private_exponent = gen_keys(BITS, _prime)
        return cls(PrivateKey(p * q, public_exponent, private_exponent, p, q))

    @classmethod
    def from_pem(cls, pem: bytes) -> PurePythonKey:
        import rsa

        return cls(rsa.PrivateKey.load_pkcs1(pem))

    @property
    def numbers(self) -> tuple[int, int]:
        return self._key.n, self._key.e

    def public_bytes(self) -> bytes:
        return _SUBJECT_PUBLIC_KEY_INFO + bytes(self._public_key.save_pkcs1("DER"))

    def to_pem(self) -> bytes:
        return bytes(self._key.save_pkcs1())

    def sign(self, message: bytes) -> bytes:
        import rsa

        return bytes(rsa.sign(message, self._key, "SHA-256"))

    def verifies(self, message: bytes, signature: bytes) -> bool:
        import rsa

        try:
            return bool(rsa.verify(message, signature, self._public_key) == "SHA-256")
        except rsa.VerificationError:
            return False


@cache
def _product_of_small_primes() -> int:
    return math.prod(n for n in range(3, 2000, 2) if all(n % d for d in range(3, n, 2)))


def _prime(bits: int) -> int:
    """Return a prime for `rsa`, as its own function does, but rule out most numbers first: it is several times as fast."""
    from rsa.prime import is_prime
    from rsa.randnum import read_random_odd_int

    while True:
        number: int = read_random_odd_int(bits)
        if math.gcd(number, _product_of_small_primes()) == 1 and is_prime(number):
            return number


def _implementation() -> type[CryptographyKey] | type[PurePythonKey]:
    return PurePythonKey if sys.platform == "emscripten" else CryptographyKey


def generate() -> RsaKey:
    """Make a new key."""
    return _implementation().generate()


def from_pem(pem: bytes) -> RsaKey:
    """Read a key that `to_pem` wrote."""
    return _implementation().from_pem(pem)
