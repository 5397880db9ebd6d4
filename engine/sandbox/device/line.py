"""The line between a phone and a Flow's endpoint: requests go out sealed and signed.

What an answer says is not judged here.
"""

import asyncio
import ssl
from dataclasses import dataclass

import httpx
import orjson

from engine.sandbox.device.crypto import Key, Unreadable, seal_request
from engine.sandbox.state import PhoneNumber, World
from engine.sandbox.webhooks import SIGNATURE_HEADER, signature

PATIENCE = 10.0
CANNOT_DECRYPT = 421
TOKEN_IS_OVER = 427
SIGNATURE_IS_WRONG = 432
GENERIC = "Something went wrong. Please try again later."


class NoAnswer(Exception):
    """A request led to nothing that a phone can go on with.

    Args:
        key: what Meta's alerts call it.
        sentence: what went wrong.
        status: the HTTP status of the answer, if there was one.
        shown: what the person reads.
    """

    def __init__(
        self, key: str, sentence: str, *, status: int | None = None, shown: str = GENERIC
    ) -> None:
        super().__init__(sentence)
        self.key = key
        self.sentence = sentence
        self.status = status
        self.shown = shown


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, and the body as it is."""

    status: int
    text: str


class Line:
    """Posts to endpoints, with public keys that it remembers as a phone does.

    Args:
        patience: seconds an endpoint has to answer.
    """

    def __init__(self, world: World, *, patience: float = PATIENCE) -> None:
        self._world = world
        self._patience = patience
        self._tls = ssl.create_default_context()
        self._remembered: dict[str, str] = {}

    def forget(self) -> None:
        """Forget the public keys."""
        self._remembered.clear()

    async def ask(
        self, number: PhoneNumber, endpoint: str, request: object
    ) -> tuple[Answer, object]:
        """Post a request and return the answer, and what it says.

        Raises:
            NoAnswer: there is none that can be used.
        """
        answer, key = await self.exchange(number, endpoint, request)
        if answer.status == CANNOT_DECRYPT:
            sentence = "The endpoint cannot decrypt, not even with a fresh public key"
            raise NoAnswer("business-decryption-error", sentence, status=answer.status)
        if answer.status == TOKEN_IS_OVER:
            said = _words_of(answer, key)
            raise NoAnswer(
                "flow-token-invalid", "The flow token is over", status=answer.status, shown=said
            )
        if answer.status != httpx.codes.OK:
            sentence = f"The endpoint answered with HTTP {answer.status}"
            if answer.status == SIGNATURE_IS_WRONG:
                sentence = "The endpoint does not take the signature"
            raise NoAnswer("unexpected_http_status_code", sentence, status=answer.status)
        try:
            return answer, key.open_answer(answer.text)
        except Unreadable as problem:
            raise NoAnswer(
                "response-decryption-error", str(problem), status=answer.status
            ) from problem

    async def exchange(
        self, number: PhoneNumber, endpoint: str, request: object
    ) -> tuple[Answer, Key]:
        """Post a request, again with a fresh public key if the endpoint cannot decrypt it.

        Raises:
            NoAnswer: there is no public key, or nobody answers.
        """
        raw, key = self._sealed(number, request)
        answer = await self.post(number, endpoint, raw)
        if answer.status == CANNOT_DECRYPT:
            self._remembered.pop(number.phone_number_id)
            raw, key = self._sealed(number, request)
            answer = await self.post(number, endpoint, raw)
        return answer, key

    async def post(self, number: PhoneNumber, endpoint: str, raw: bytes) -> Answer:
        """Post bytes, signed.

        Raises:
            NoAnswer: nobody answers.
        """
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(number.app_secret, raw),
        }
        try:
            # A client for each request: nothing has to be closed with the sandbox.
            async with (
                asyncio.timeout(self._patience),
                httpx.AsyncClient(timeout=None, trust_env=False, verify=self._tls) as http,
            ):
                answer = await http.post(endpoint, content=raw, headers=headers)
        except TimeoutError as problem:
            sentence = f"The endpoint did not answer within {self._patience:g} s"
            raise NoAnswer("timeout_error", sentence) from problem
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            sentence = f"{type(problem).__name__}: {problem}"
            raise NoAnswer("no_http_response_error", sentence) from problem
        return Answer(answer.status_code, answer.text)

    def _sealed(self, number: PhoneNumber, request: object) -> tuple[bytes, Key]:
        remembered = self._remembered.get(number.phone_number_id)
        pem = remembered or self._world.public_keys.get(number.phone_number_id)
        if pem is None:
            sentence = f"The number {number.phone_number_id} has no public key"
            raise NoAnswer("public-key-missing", sentence)
        self._remembered[number.phone_number_id] = pem
        return seal_request(pem, request)


def _words_of(answer: Answer, key: Key) -> str:
    """Return the `error_msg` of an answer; Meta's pages have it plain, Meta's samples sealed."""
    said: object = None
    try:
        said = key.open_answer(answer.text)
    except Unreadable:
        try:
            said = orjson.loads(answer.text)
        except orjson.JSONDecodeError:
            return GENERIC
    return str(said["error_msg"]) if isinstance(said, dict) and said.get("error_msg") else GENERIC
