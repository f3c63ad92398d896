"""A fast pretend LLM provider for measuring a gateway: OpenAI's wire format, JSON and SSE, over one raw asyncio protocol.

    python upstream.py [--port 9000] [--tokens 100] [--gap 0.02] [--latency 0]

A request whose body holds `"stream":true` is answered with `--tokens` chunks, `--gap` seconds apart, the last one
carrying usage; any other with one 900-byte completion (`/embeddings` with one 256-number vector), `--latency` seconds
after it arrived. It does no work that a real provider's socket would not cost the gateway.
"""

import argparse
import asyncio
import json

import uvloop

COMPLETION = {
    "id": "chatcmpl-BxQ0v7f3Jc2m8RkTz5PqWn1YdLhSa",
    "object": "chat.completion",
    "created": 1763900000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "logprobs": None,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "refusal": None,
                "annotations": [],
                "content": "The capital of France is Paris. It has been the political and cultural centre of the country "
                "since the Middle Ages, and today the wider metropolitan area is home to over twelve million.",
            },
        }
    ],
    "usage": {
        "prompt_tokens": 24,
        "completion_tokens": 41,
        "total_tokens": 65,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    "service_tier": "default",
    "system_fingerprint": "fp_560af6e559",
}
EMBEDDING = {
    "object": "list",
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
    "data": [{"object": "embedding", "index": 0, "embedding": [i / 997 for i in range(256)]}],
}


def reply(payload: dict) -> bytes:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def chunk(delta: dict, finish: str | None = None, usage: dict | None = None) -> bytes:
    payload = {
        "id": "chatcmpl-BxQ0v7f3Jc2m8RkTz5PqWn1YdLhSa",
        "object": "chat.completion.chunk",
        "created": 1763900000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_560af6e559",
        "choices": [] if usage else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        "usage": usage,
    }
    line = b"data: %b\n\n" % json.dumps(payload, separators=(",", ":")).encode()
    return b"%x\r\n%b\r\n" % (len(line), line)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Upstream(asyncio.Protocol):
    def __init__(self, options: argparse.Namespace, chunks: list[bytes]) -> None:
        self.options, self.chunks = options, chunks
        self.loop = asyncio.get_running_loop()
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (head_end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:head_end].lower()
            start = head_end + 4
            if b"transfer-encoding: chunked" in head:
                end = self.buffer.find(b"0\r\n\r\n", start) + 5
                if end < 5:
                    return
            else:
                at = head.find(b"content-length:")
                end = start + (int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)
                if len(self.buffer) < end:
                    return
            body, self.buffer = self.buffer[start:end], self.buffer[end:]
            self.loop.call_later(
                self.options.latency, self.answer, head, body
            ) if self.options.latency else self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        if b'"stream":true' in body or b'"stream": true' in body:
            self.transport.write(STREAM_HEAD)
            self.loop.call_later(self.options.gap, self.send, 0)
        else:
            self.transport.write(EMBEDDING_REPLY if b"/embeddings" in head else COMPLETION_REPLY)

    def send(self, index: int) -> None:
        if self.transport.is_closing():
            return
        if index == len(self.chunks):
            self.transport.write(STREAM_END)
        else:
            self.transport.write(self.chunks[index])
            self.loop.call_later(self.options.gap, self.send, index + 1)


COMPLETION_REPLY, EMBEDDING_REPLY = reply(COMPLETION), reply(EMBEDDING)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--gap", type=float, default=0.02)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    usage = {"prompt_tokens": 24, "completion_tokens": options.tokens, "total_tokens": 24 + options.tokens}
    chunks = [
        chunk({"role": "assistant", "content": ""}),
        *[chunk({"content": f" word{i}"}) for i in range(options.tokens)],
        chunk({}, finish="stop"),
        chunk({}, usage=usage),
    ]
    server = await asyncio.get_running_loop().create_server(
        lambda: Upstream(options, chunks), "127.0.0.1", options.port
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())
