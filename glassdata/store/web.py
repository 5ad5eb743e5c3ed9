"""Whether a web server gives parts of a file, which reading a dataset from it needs."""

from pathlib import Path
from typing import Any, cast

from fsspec.asyn import sync

from glassdata.store.errors import StoreError
from glassdata.store.places import is_web


def check_web_file(path: Path) -> None:
    """Refuse a web server that does not give parts of a file; other places are not asked.

    Such a server sends the whole file where a part is wanted, which then looks like damage.

    Raises
    ------
    FileNotFoundError
        If the server has no such file.
    StoreError
        If it answers no range requests, or refuses or fails to answer, or cannot be reached.
    """
    if not is_web(path):
        return
    from aiohttp import ClientError

    try:
        status, reason = sync(cast(Any, path).fs.loop, _ask_for_first_byte, path)
    except ClientError as error:
        raise StoreError(f"{path} cannot be reached: {error}") from None
    if status == 404:
        raise FileNotFoundError(f"{path} does not exist")
    if status == 200:
        raise StoreError(
            f"{path}: the server does not answer range requests, which reading a part of a "
            "dataset needs; copy the dataset to a folder, or use another server"
        )
    if status != 206:
        raise StoreError(f"{path}: the server answers {status} {reason}")


async def _ask_for_first_byte(path: Any) -> tuple[int, str]:
    session, options = await path.fs.set_session(), dict(path.fs.kwargs)
    headers = options.pop("headers", {}) | {"Range": "bytes=0-0"}
    async with session.get(path.fs.encode_url(path.path), headers=headers, **options) as answer:
        return answer.status, answer.reason
