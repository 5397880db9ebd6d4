"""Message templates as Meta creates them: what a declared one is made of, and what Meta refuses.

Shapes and rules: Meta's pages templates/overview and templates/components; its codes 2388293 (too
many variables for the length of the body) and 2388299 (a variable at its beginning or end).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from engine.whatsapp import limits

CATEGORIES: Final = ("utility", "marketing")
"""Those a conversation can declare; `authentication` has codes, which no chart sends."""
# platform-facts do not hold them: Meta's page of message templates, "Supported languages".
_LANGUAGES: Final = (
    "af sq ar az bn bg ca zh_CN zh_HK zh_TW hr cs da nl en en_GB en_US et fil fi fr ka de el gu "
    "ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb fa pl pt_BR pt_PT pa ro "
    "ru sr sk sl es es_AR es_ES es_MX sw sv ta te th tr uk ur uz vi zu"
)
LANGUAGES: Final = frozenset(_LANGUAGES.split())
"""The languages of templates."""
_FIRST: Final = {"pt": "pt_BR", "zh": "zh_CN", "rw": "rw_RW", "ky": "ky_KG", "no": "nb"}
"""The form of a language that Meta has in forms of countries only."""
_VARIABLE: Final = re.compile(r"\{\{([0-9]{1,2})\}\}")
_ADJACENT: Final = re.compile(r"\}\}\s*\{\{")
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What Meta would not take in a definition.

    Args:
        part: the key of what is wrong.
        code: of the problem.
    """

    part: str
    code: str
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A message template in one language, as somebody declares it.

    Args:
        parameters: how many values are given for its variables when it is sent.
        buttons: what its replies say.
    """

    name: str
    language: str
    category: str
    body: str
    parameters: int = 0
    footer: str = ""
    examples: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Give the body of the request that creates it."""
        body: dict[str, Any] = {"type": "BODY", "text": self.body}
        if self.examples:
            body["example"] = {"body_text": [list(self.examples)]}
        components = [body]
        if self.footer:
            components.append({"type": "FOOTER", "text": self.footer})
        if self.buttons:
            replies = [{"type": "QUICK_REPLY", "text": text} for text in self.buttons]
            components.append({"type": "BUTTONS", "buttons": replies})
        return {
            "name": self.name,
            "language": self.language,
            "category": self.category.upper(),
            "parameter_format": "POSITIONAL",
            "components": components,
        }

    @property
    def digest(self) -> str:
        """Name what customers would see of it; examples and category are not of that."""
        seen = [self.body, self.footer, *self.buttons]
        return hashlib.blake2s(orjson.dumps(seen), digest_size=8).hexdigest()

    def complaints(self) -> Iterator[Complaint]:
        """Tell what Meta would not take."""
        if not self.category:
            yield Complaint("category", "missing-key", "'category' is missing here")
        yield from self._too_long()
        yield from self._variables()
        if _VARIABLE.search(self.footer) or any(map(_VARIABLE.search, self.buttons)):
            sentence = "a template has variables in its body only"
            yield Complaint(
                "footer" if "{{" in self.footer else "buttons", "template-variables", sentence
            )

    def _too_long(self) -> Iterator[Complaint]:
        texts = [
            ("body", self.body, limits.TEMPLATE_BODY),
            ("footer", self.footer, limits.TEMPLATE_FOOTER),
            *(("buttons", text, limits.TEMPLATE_BUTTON) for text in self.buttons),
        ]
        for part, text, most in texts:
            length = limits.length(text)
            if length > most:
                sentence = f"'{part}' has {length} characters, a template has {most} at most"
                yield Complaint(part, "over-limit", sentence)
        if len(self.buttons) > limits.TEMPLATE_BUTTONS:
            sentence = f"a template has {limits.TEMPLATE_BUTTONS} replies at most"
            yield Complaint("buttons", "over-limit", f"{sentence}, these are {len(self.buttons)}")

    def _variables(self) -> Iterator[Complaint]:
        code, body = "template-variables", self.body
        bare = _VARIABLE.sub("", body)
        if "{{" in bare or "}}" in bare:
            sentence = "the body has a variable that is not written as {{1}}"
            hint = "write {{1}}, {{2}}, ... and what they are in 'parameters'"
            yield Complaint("body", code, sentence, hint)
            return
        found = {int(number) for number in _VARIABLE.findall(body)}
        if found != set(range(1, self.parameters + 1)):
            sentence = (
                f"the body has the variables {_listed(found)}, "
                f"and 'parameters' are {self.parameters}"
            )
            yield Complaint("body", code, sentence, "use {{1}} for the first of them, and so on")
        if len(self.examples) != len(found):
            sentence = f"'examples' are {len(self.examples)}, the body has {len(found)} variables"
            yield Complaint("examples", code, sentence, "give an example for each of them")
        if body.startswith("{{") or body.endswith("}}"):
            sentence = "a variable begins or ends the body: Meta does not take that (2388299)"
            yield Complaint("body", code, sentence, "put a word or a full stop there")
        elif _ADJACENT.search(body):
            yield Complaint("body", code, "two variables stand side by side", "part them by words")
        # Meta does not say how many are too many; with two words for each and one more it is
        # content, as far as is known.
        words, needed = len(_WORD.findall(bare)), 2 * len(found) + 1
        if found and words < needed:
            sentence = (
                f"the body has {words} words beside {len(found)} variables: Meta wants {needed} "
                "or so (2388293)"
            )
            yield Complaint("body", code, sentence, "say more, or say it with fewer variables")


def template_language(locale: str) -> str:
    """Give Meta's language of a template for a locale: `en_US`, and `es` for `es_PE`."""
    language = locale.partition("_")[0]
    known = (locale, language, _FIRST.get(language, ""))
    return next((name for name in known if name in LANGUAGES), language)


def _listed(numbers: set[int]) -> str:
    return ", ".join(f"{{{{{number}}}}}" for number in sorted(numbers)) or "none"
