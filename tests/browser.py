"""A real browser for the tests: Chromium, driven over its DevTools protocol.

No driver and no further package is needed: Chromium speaks JSON over a WebSocket, and aiohttp,
which the tests have for other reasons, speaks WebSocket.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-default-apps", "--remote-debugging-port=0"),
    # Nothing that asks the network by itself.
    *("--disable-quic", "--disable-sync", "--disable-background-networking"),
    "--disable-component-update",
)
PATIENCE = 60.0  # seconds; a machine under load may need some of them


def executable():
    """Path of a Chromium, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One headless Chromium with a profile of its own."""

    def __init__(self, profile: Path):
        self.loop = asyncio.new_event_loop()
        self.process = subprocess.Popen(
            [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = profile / "DevToolsActivePort"
            wait_for(lambda: address.is_file() and len(address.read_text().split()) == 2)
            port, path = address.read_text().split()
            self.loop.run_until_complete(self._connect(f"ws://127.0.0.1:{port}{path}"))
        except BaseException:
            self.close()
            raise
        self.last = 0
        self.events: dict[str, list[dict]] = {}

    async def _connect(self, address):
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(address, max_msg_size=0)

    def call(self, method, session=None, **params):
        """Result of one command; events that come meanwhile are kept by session."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        return self.loop.run_until_complete(asyncio.wait_for(self._answer(message), PATIENCE))

    async def _answer(self, message):
        await self.socket.send_str(json.dumps(message))
        while True:
            answer = json.loads((await self.socket.receive()).data)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{message['method']}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.setdefault(answer.get("sessionId"), []).append(answer)

    def open(self, url, **how):
        return Page(self, url, **how)

    def close(self):
        if hasattr(self, "session"):
            self.loop.run_until_complete(self.session.close())
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.loop.close()


class Page:
    """A page that is loaded, with all that went wrong in it."""

    def __init__(self, browser, url, *, width=1000, scripts=True, home=("file:", "data:")):
        self.browser, self.home = browser, home
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width)
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.call("Page.navigate", url=url)
        wait_for(lambda: self.seen("Page.loadEventFired"))

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def resize(self, width, height=900):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def show_as(self, media="screen", theme="light"):
        """On a screen or in print, for a reader whose system is light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": theme}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def run(self, source):
        """Run a whole script in the page."""
        self.call("Runtime.evaluate", expression=source + "\n;0")

    def picture(self, *, whole=False):
        """The page as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def seen(self, *methods):
        """Parameters of all events of these names so far."""
        self.call("Runtime.evaluate", expression="0")  # takes in what has arrived
        events = self.browser.events.get(self.session, [])
        return [event["params"] for event in events if event["method"] in methods]

    def evaluate(self, expression):
        """Value of an expression, through JSON; of what it promises, if it is a promise."""
        answer = self.call(
            "Runtime.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return json.loads(answer["result"].get("value", "null"))

    def wait(self, expression):
        wait_for(lambda: self.evaluate(expression))

    def press(self, key, *, shift=False):
        """One key, as a keyboard sends it."""
        code = {"Enter": 13, "Tab": 9, " ": 32, "Home": 36, "End": 35, "ArrowLeft": 37}
        code |= {"ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": code.get(key, ord(key[0].upper()))}
        common["modifiers"] = 8 if shift else 0
        down = {"type": "keyDown" if text else "rawKeyDown"} | ({"text": text} if text else {})
        self.call("Input.dispatchKeyEvent", **down, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def mouse(self, kind, x, y):
        """A mouse event: "mousePressed", "mouseMoved" or "mouseReleased", with the left button."""
        self.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1
        )

    def complaints(self):
        """Errors in the console, and requests that failed or left the site."""
        found = [e["exceptionDetails"]["text"] for e in self.seen("Runtime.exceptionThrown")]
        found += [
            f"console: {event['args']}"
            for event in self.seen("Runtime.consoleAPICalled")
            if event["type"] in ("error", "assert", "warning")
        ]
        found += [
            f"{event['entry']['text']} {event['entry'].get('url', '')}"
            for event in self.seen("Log.entryAdded")
            if event["entry"]["level"] in ("error", "warning")
        ]
        urls = [event["request"]["url"] for event in self.seen("Network.requestWillBeSent")]
        found += [f"foreign: {url}" for url in urls if not url.startswith(self.home)]
        found += [f"failed: {event['errorText']}" for event in self.seen("Network.loadingFailed")]
        return found

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def wait_for(condition):
    """Wait until a condition holds, which it must within PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the browser did not get there")
        time.sleep(0.02)
