"""A bulk write behind the ASGI server: the same lines, written in chunks while the answer is sent."""

import json

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from customers.models import ApiKey
from offers.models import Store
from tests.integration.backoffice.office import CIRCLE


async def stream(raw: bytes, *, key: str) -> tuple[int, list[bytes]]:
    """Return the status, and the pieces in which the answer came."""
    response = await AsyncClient().post(
        "/v1/stores/bulk",
        raw,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Api-Key {key}"},
    )
    return response.status_code, [piece async for piece in response]


def test_the_answer_is_streamed_chunk_by_chunk(db: None) -> None:
    _, key = ApiKey.objects.create_key(name="office", scopes=["stores:write"])
    lines = [json.dumps({"ref": f"S{i}", **CIRCLE}) for i in range(450)]
    lines[7] = "{ torn"
    status, pieces = async_to_sync(stream)("\n".join(lines).encode(), key=key)
    assert (status, len(pieces)) == (200, 3)
    results = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert [result["line"] for result in results] == list(range(1, 451))
    assert [result["line"] for result in results if result["status"] != "created"] == [8]
    assert Store.objects.count() == 449
