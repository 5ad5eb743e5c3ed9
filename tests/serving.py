"""A web server for the tests: files of one folder, and ranges of them unless told otherwise."""

import asyncio
import threading

from aiohttp import web


class Server:
    """Serves a folder at ``address`` until closed; ``asked`` has (path, range) of all requests."""

    def __init__(self, folder, *, ranges=True):
        self.folder, self.ranges, self.asked = folder, ranges, []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(30)

    async def _start(self):
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        place = web.TCPSite(self.runner, "127.0.0.1", 0)
        await place.start()
        self.address = f"http://127.0.0.1:{place._server.sockets[0].getsockname()[1]}/"

    async def _answer(self, request):
        path = self.folder / request.match_info["path"]
        if not path.is_file():
            raise web.HTTPNotFound
        self.asked.append((request.match_info["path"], request.headers.get("Range")))
        if self.ranges or path.suffix != ".zip":
            return web.FileResponse(path)
        return web.Response(body=path.read_bytes()[:1000], content_type="application/zip")

    def close(self):
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(30)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()
