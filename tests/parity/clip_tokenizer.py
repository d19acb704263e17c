"""
What open_clip's SimpleTokenizer makes of tricky texts, with a small invented vocabulary and with CLIP's own.

Of CLIP's vocabulary the fixture holds the merges that could happen in these texts, each with its rank, and no others.
"""

import gzip
import json
import tempfile
from pathlib import Path

import ftfy
import open_clip
import regex
from open_clip.tokenizer import SimpleTokenizer, bytes_to_unicode, default_bpe

FILE = Path(__file__).parent.parent / "fixtures" / "clipTokenizer.json"

TEXTS = [
    "hello",
    "hello world!",
    "",
    "   ",
    "a photo of a cat",
    "A Photo of a CAT.",
    "a diagram; a dog, a cat?!",
    "it's they're we've I'm you'll he'd don't",
    "IT'S 'SO 'TIS ''tis",
    "it\u2019s a \u201cquoted\u201d \u2018word\u2019",
    "1234567890 12a3 \u00bd \u2167",
    "tabs\tand\nnew lines\r\n and   many    spaces",
    "no\u00a0break\u2003em\u3000ideographic\u200bzero",
    "caf\u00e9 na\u00efve \u00fcber stra\u00dfe",
    "cafe\u0301 combining",
    "\u0130stanbul \u0391\u03a3 \u1e9e",
    "\u65e5\u672c\u8a9e \u4e2d\u6587 \ud55c\uad6d\uc5b4",
    "\u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0639\u0631\u0628\u0649 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &amp;lt;",
    "AT&T R&D fish&chips &copy2020 &notit; &nbsp; &eacute;t&eacute;",
    "&#39;quoted&#39; &#x27;hex&#x27; &#128; &#0; &#xD800; &#1;x",
    "&hearts; &Alpha;&omega; &apos; &unknown; &;& &#; &#x;",
    "<b>tag</b> &amp; <i>more</i> &amp;amp;lt;",
    "\ufb01ne \ufb02ow o\ufb03ce \u01c4 \u0149 \ufb05",
    "\uff26\uff55\uff4c\uff4c \uff57\uff49\uff44\uff54\uff48 \uff76\uff85",
    "\x1b[36;44mcolour\x1b[0m bell\x07 null\x00 bom\ufeff",
    "C:\\path\\to http://example.org/?q=1&r=2#top user@example.org",
    "!!! ??? ... --- *** $100 50% #tag @name",
    "snake_case camelCase kebab-case",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u017fecret '\u017f 'S",
    "</w> a</w> <w>",
    "\u2028line\u2029paragraph\u0085next\x1cfile\x1funit",
    "\u2122 \u00ae \u00a9 \u20ac \u00a3 \u00b5 \u2126 \u212a",
    "\u0660\u0661\u0662 \u0967\u0968 \u00b2\u00b3",
    "zalgo z\u0351\u036b\u0343a\u0352l\u0306g\u030ao",
    "\U0001d4d5\U0001d4d8\U0001d4dd\U0001d4d4 \U00010330",
    "the quick brown fox jumps over the lazy dog",
]

LONG = " ".join(["a very long caption that goes on"] * 14)
SPECIAL = ["<start_of_text> a cat <end_of_text>", "<END_OF_TEXT>", "a<end_of_text>b", "< end_of_text >"]


def cases(tokenizer):
    made = []
    for text in TEXTS:
        ids = tokenizer.encode(text)
        made.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
    return {
        "cases": made,
        "special": [{"text": text, "ids": tokenizer.encode(text)} for text in SPECIAL],
        "rows": [
            {"texts": texts, "context": context, "ids": tokenizer(texts, context).flatten().tolist()}
            for texts, context in [(["a cat", "", LONG], 77), ([LONG, "hello world!"], 5), (["a photo of a cat"], 7)]
        ],
        "size": tokenizer.vocab_size,
    }


def possible(tokenizer, lines):
    """Merges whose result is part of a word of the texts."""
    signs = bytes_to_unicode()
    words = set()
    for text in [*TEXTS, LONG, *SPECIAL]:
        for word in regex.findall(tokenizer.pat, tokenizer.clean_fn(text)):
            words.add("".join(signs[b] for b in word.encode("utf-8")) + "</w>")
    whole = "\n".join(words)
    return [[rank, line] for rank, line in enumerate(lines) if line.replace(" ", "") in whole]


def make():
    real = SimpleTokenizer()
    lines = gzip.open(default_bpe()).read().decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    # Merges that overlap, that repeat one sign, and that are made of others; with and without the end of a word.
    invented = [
        "a a", "aa a", "a t</w>", "c at</w>", "h e", "l l", "he ll", "hell o</w>", "o r", "w or", "l d</w>",
        "wor ld</w>", "t h", "th e</w>", "p h", "o t", "ph ot", "phot o</w>", "s t", "e r", "' s</w>", "\u00c3 \u00a9",
        "aa aa", "i n", "! !", "\u00ef \u00bc", "! !</w>",
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile(suffix=".gz") as file:
        file.write(gzip.compress(("#version\n" + "\n".join(invented)).encode("utf-8")))
        file.flush()
        small = SimpleTokenizer(bpe_path=file.name)
    fixture = {
        "oracle": f"open_clip {open_clip.__version__} SimpleTokenizer, ftfy {ftfy.__version__}",
        "invented": {"merges": invented, **cases(small)},
        "clip": {"merges": possible(real, lines), **cases(real)},
    }
    FILE.write_text(json.dumps(fixture, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(f"{FILE.name}  {FILE.stat().st_size / 1024:.0f} kB  {fixture['oracle']}")
