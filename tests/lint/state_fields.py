"""State that is saved lists its members in `Fields` (core/base/archive.h): one that is forgotten there is lost in a snapshot."""

import re

# Members that a snapshot does without, by class: what the constructor brings, what is made anew, what lives for one call.
NOT_SAVED = {
    "Budget": {"per_1000_days_", "mean_points_"},
    "EvalWatch": {"own_"},
    "FeatureTrack": {"place_"},
    "Project": {"past_"},
    "Run": {"forecast_", "inferred_schedule_", "version_", "watch_"},
    "Silence": {"silent_after_"},
    "TrainSide": {"own_"},
    "WatchedRun": {"kin"},  # Handed on to the loss watch, which saves it.
}
COMMENT = re.compile(r"//[^\n]*")
CLASS = re.compile(r"\b(?:class|struct)\s+(\w+)\s*(?:final\s*)?(?::[^{;]*)?\{")
FIELDS = re.compile(r"void Fields\(Archive& archive\)\s*\{")
NOT_A_MEMBER = re.compile(r"^(static|using|friend|enum|template|class|struct|return|explicit|virtual|const\b)|\boperator\b")
LABEL = re.compile(r"^(public|private|protected):\s*")
NAMES = re.compile(r"(\w+)\s*(?:=.*)?$", re.DOTALL)


def block(text, start):
    """From behind a brace to before the one that closes it."""
    depth, at = 1, start
    while depth > 0 and at < len(text):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[start:at - 1]


def outline(body):
    """Without what stands in braces, and in angle brackets, where commas are no ends of names."""
    kept, depth = [], 0
    for character in body:
        depth -= character == "}"
        if depth == 0:
            kept.append(character)
        depth += character == "{"
    text = "".join(kept).replace("{}", "{};")
    while True:
        shorter = re.sub(r"<[^<>;]*>", "", text)
        if shorter == text:
            return text
        text = shorter


def members(body):
    for statement in outline(body).split(";"):
        statement = statement.replace("{}", "").strip()
        while LABEL.match(statement):
            statement = LABEL.sub("", statement)
        declared = statement.split("=")[0]
        if not statement or "(" in declared or "&" in declared or NOT_A_MEMBER.search(statement):
            continue
        for part in re.split(r",(?![^(]*\))", statement):
            name = NAMES.search(part.split("=")[0].strip())
            if name and " " in statement:
                yield name.group(1)


def own_fields(body):
    """What the class's own Fields mentions; None if it has none."""
    for found in FIELDS.finditer(body):
        before = body[:found.start()]
        if before.count("{") == before.count("}"):
            return set(re.findall(r"\w+", block(body, found.end())))
    return None


def check(files):
    for path, text in sorted(files.items()):
        if not path.startswith("core/") or not path.endswith(".h") or path == "core/base/archive.h":
            continue
        text = COMMENT.sub("", text)
        for found in CLASS.finditer(text):
            body = block(text, found.end())
            listed = own_fields(body)
            if listed is None:
                continue
            name = found.group(1)
            for member in members(body):
                if member not in listed and member not in NOT_SAVED.get(name, ()):
                    yield f"{path}: {name}::{member} is not in Fields: a snapshot would lose it (or name it in tests/lint/state_fields.py)"
