"""What the dull chunks of one stream have in common, so that the next one is known without being parsed.

Most of a stream is chunks alike to the byte but for one piece of text, and often a padding of random length at the
end. Comparing what stands before and after them costs a fraction of parsing, and says more than searching for words
would: such a chunk has no finish reason, no usage and no error, because the one that it was compared with had none.
"""

from __future__ import annotations

import re

TEXT = re.compile(rb'"(?:content|reasoning_content|reasoning|text|arguments|refusal)":"(?P<text>(?:[^"\\]|\\.)*)"')
PADDING = re.compile(rb'"(?:obfuscation|p)":"(?P<padding>[^"\\]*)"\}\n\n\Z')
"""OpenAI and Mistral hide the length of the text from who watches the line."""
PATIENCE = 16
"""Chunks learnt from in vain before it is given up, for those who put a clock or a count into each."""
NOTHING_BEGINS_SO = b"\x00"


class Likeness:
    def __init__(self) -> None:
        self._before = NOTHING_BEGINS_SO
        self._after = b""
        self._to_padding = b""
        self._patience = PATIENCE

    def matches(self, event: bytes) -> bool:
        """Whether it is one whole event that differs from the last one learnt only in its text and its padding."""
        before = self._before
        if not event.startswith(before) or not event.endswith(self._after):
            return False
        end = len(event)
        # One line and its blank line: a second event would have a line end before.
        if event.find(10) != end - 2:
            return False
        self._patience = PATIENCE
        if to_padding := self._to_padding:
            at = event.find(to_padding, len(before))
            return at >= 0 and event.find(34, at + len(to_padding)) == end - 4
        # The two parts must not overlap: the text between may be empty, not less.
        return end >= len(before) + len(self._after)

    def learn(self, event: bytes) -> None:
        """From one that was parsed and found to be nothing but text."""
        if not self._patience:
            return
        self._patience -= 1
        text = TEXT.search(event, event.find(b'"choices"'))
        if text is None:
            return
        self._before = event[: text.start("text")]
        padding = PADDING.search(event, text.end())
        if padding is None:
            self._to_padding = b""
            self._after = event[text.end("text") :]
        else:
            self._to_padding = event[text.end("text") : padding.start("padding")]
            self._after = b'"}\n\n'

    def forget(self) -> None:
        """Nothing matches any more."""
        self._before, self._patience = NOTHING_BEGINS_SO, 0
