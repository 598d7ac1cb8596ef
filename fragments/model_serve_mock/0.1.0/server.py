"""A mock model service: GET /healthz, GET /v1/models and POST /v1/completions, all in JSON.

The same prompt always gets the same text. SIGTERM and SIGINT finish the requests under way, then end with 0.
"""

import json
import os
import pathlib
import signal
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler

import light

SETTINGS = light.read_settings(pathlib.Path(__file__).with_name("model.yaml").read_text(encoding="utf-8"))
MODEL = SETTINGS["model"]
MAX_TOKENS = SETTINGS["max_tokens"]
MAX_BODY = 64 * 1024
MAX_DRAIN = 1024 * 1024


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status, message, *, code=None, param=None, headers=None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = headers or {}


def error_body(message, *, code=None, param=None, kind="invalid_request_error"):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def health(_body):
    return {"status": "ok", "model": MODEL, "light": light.__version__}


def models(_body):
    return {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "factory"}]}


def completions(body):
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(request, dict):
        raise Refused(400, "the body is not a JSON object")
    model = request.get("model", MODEL)
    if model != MODEL:
        raise Refused(404, f"there is no such model; there is {MODEL}", code="model_not_found", param="model")
    prompt = request.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise Refused(400, "prompt has to be a text that is not empty", param="prompt")
    max_tokens = request.get("max_tokens", 16)
    if type(max_tokens) is not int or not 1 <= max_tokens <= MAX_TOKENS:
        raise Refused(400, f"max_tokens has to be a number from 1 to {MAX_TOKENS}", param="max_tokens")
    if request.get("stream", False) is not False:
        raise Refused(400, "streaming is not supported", param="stream")
    try:
        words = light.complete(prompt, max_tokens)
    except UnicodeEncodeError:
        raise Refused(400, "prompt holds half of a surrogate pair", param="prompt") from None
    text = " ".join(words)
    used = len(prompt.split())
    return {
        "id": f"cmpl-{os.urandom(12).hex()}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "text": f"{prompt} {text}" if SETTINGS["echo"] else text,
                "finish_reason": "length",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": used, "completion_tokens": max_tokens, "total_tokens": used + max_tokens},
    }


ROUTES = {
    "/healthz": {"GET": health, "HEAD": health},
    "/v1/models": {"GET": models, "HEAD": models},
    "/v1/completions": {"POST": completions},
}


class Handler(BaseHTTPRequestHandler):
    """One request per connection (HTTP/1.0 replies), so that stopping never waits for an idle client."""

    server_version = "model_serve_mock"
    sys_version = ""
    timeout = 5

    def answer(self):
        try:
            self.reply(200, self.handler()(self.body()))
        except Refused as refused:
            self.reply(
                refused.status, error_body(str(refused), code=refused.code, param=refused.param), refused.headers
            )
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:
            self.log_error("%r", error)
            self.reply(500, error_body("internal error", kind="server_error"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def handler(self):
        methods = ROUTES.get(self.path.partition("?")[0])
        if methods is None:
            self.drain()
            raise Refused(404, "there is nothing at this path")
        if self.command not in methods:
            self.drain()
            allow = ", ".join(methods)
            raise Refused(405, f"this path takes {allow}", headers={"Allow": allow})
        return methods[self.command]

    def length(self):
        """The announced length of the body in bytes, 0 where there is none, None where it is unusable."""
        if "Transfer-Encoding" in self.headers:
            return None
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def body(self):
        length = self.length()
        if length is None:
            raise Refused(411, "a Content-Length is needed")
        if length > MAX_BODY:
            self.drain()
            raise Refused(413, f"the body may have {MAX_BODY} bytes")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(400, "the body ended early")
        return body

    def drain(self):
        """Reads what the client still sends, within a bound: closing on unread bytes would cost it the reply."""
        left = min(self.length() or 0, MAX_DRAIN)
        while left > 0 and (chunk := self.rfile.read(min(left, 65536))):
            left -= len(chunk)

    def reply(self, status, value, headers=None):
        payload = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def send_error(self, code, message=None, explain=None):
        self.reply(code, error_body(message or "bad request"))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 64


def main():
    with Server(("0.0.0.0", int(os.environ.get("MODEL_SERVE_PORT", "8080"))), Handler) as server:

        def stop(_signal, _frame):
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        print(f"model_serve_mock: {MODEL} on port {server.server_address[1]}", flush=True)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
