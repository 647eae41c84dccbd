"""Keys in pure Python, as a browser needs them, against `cryptography` and PyJWT."""

from __future__ import annotations

import jwt
import pytest
import rsa

from helpers.sandbox.rsa_key import BITS, CryptographyKey, PurePythonKey
from helpers.sandbox.tokens import InvalidToken, SigningKey


@pytest.fixture(scope="module")
def pure() -> PurePythonKey:
    return PurePythonKey.generate()


@pytest.fixture(scope="module")
def compiled(pure: PurePythonKey) -> CryptographyKey:
    """The same key in the other implementation."""
    return CryptographyKey.from_pem(pure.to_pem())


def test_a_new_key_is_as_long_as_it_should_be(pure):
    modulus, exponent = pure.numbers

    assert modulus.bit_length() == BITS
    assert exponent == 65537


def test_both_implementations_say_the_same_of_one_key(pure, compiled):
    assert pure.numbers == compiled.numbers
    assert pure.public_bytes() == compiled.public_bytes()
    assert pure.sign(b"a message") == compiled.sign(b"a message")
    assert SigningKey(pure).key_id == SigningKey(compiled).key_id


def test_each_reads_what_the_other_wrote(pure):
    other = CryptographyKey.generate()

    assert PurePythonKey.from_pem(other.to_pem()).numbers == other.numbers
    assert PurePythonKey.from_pem(pure.to_pem()).numbers == pure.numbers


def test_somebody_elses_library_verifies_its_tokens(pure):
    signing_key = SigningKey(pure)
    token = signing_key.sign(signing_key.unsigned({"skypeid": "acs:1"}))

    claims = jwt.decode(token, jwt.PyJWK(signing_key.json_web_key()), algorithms=["RS256"])

    assert claims == {"skypeid": "acs:1"} == signing_key.read(token)


@pytest.mark.parametrize("implementation", ["pure", "compiled"])
def test_a_signature_over_a_weaker_hash_is_refused(implementation, pure, request):
    weaker = rsa.sign(b"a message", rsa.PrivateKey.load_pkcs1(pure.to_pem()), "SHA-1")

    assert not request.getfixturevalue(implementation).verifies(b"a message", weaker)


@pytest.mark.parametrize("implementation", ["pure", "compiled"])
def test_what_another_key_signed_is_refused(implementation, request):
    signing_key = SigningKey(request.getfixturevalue(implementation))
    token = signing_key.sign(signing_key.unsigned({"skypeid": "acs:1"}))
    head, _, signature = token.rpartition(".")
    other = CryptographyKey.generate().sign(head.encode("ascii"))

    for broken in (
        f"{head[:-4]}AAAA.{signature}",
        f"{head}.{signature[:-12]}{signature[-12:].swapcase()}",
        f"{head}.{jwt.utils.base64url_encode(other).decode('ascii')}",
        f"{head}.",
    ):
        with pytest.raises(InvalidToken):
            signing_key.read(broken)
