"""The approved templates of an account, and which translation of one serves a customer.

Meta matches names and languages exactly and answers 132001 otherwise, so it is chosen here; what goes into it is filling.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rasa_whatsapp.cloud import languages
from rasa_whatsapp.cloud.templates.filling import TemplateMessage, TemplateUnusable, fill, misfits
from rasa_whatsapp.cloud.templates.translations import APPROVED, Translation, read_translation
from rasa_whatsapp.cloud.templates.uses import TemplateUse

__all__ = [
    "APPROVED", "TemplateBook", "TemplateMessage", "TemplateUnusable", "TemplateUse", "Translation", "fill", "misfits",
    "read_translation",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TemplateBook:
    """The catalogue."""

    translations: tuple[Translation, ...] = ()

    def prepare(self, use: TemplateUse, fallback_languages: Sequence[str] = ()) -> TemplateMessage:
        """Return the filled template in the best approved language, without what is to be tried otherwise; raises TemplateUnusable."""
        return fill(self.find(use.name, [*use.languages, *fallback_languages]), use)

    def in_order(self, use: TemplateUse, fallback_languages: Sequence[str] = ()) -> list[TemplateUse]:
        """Return a response's templates in the order in which they are to be tried: its own, as long as each has its declared translations.

        Where one that serves the reader is lost, the next template in that language goes before the same one in another.
        """
        uses, wanted = list(use.in_order), [*use.languages, *fallback_languages]
        declared = [_served(wanted, [each for each in self.translations if each.name == use.name]) for use in uses]
        approved = [_served(wanted, self.approved(use.name)) for use in uses]
        is_lost = any(before < now < len(wanted) for before, now in zip(declared, approved, strict=True))
        if not is_lost:
            return uses
        return [uses[place] for place in sorted(range(len(uses)), key=approved.__getitem__)]

    def find(self, name: str, wanted: Sequence[str]) -> Translation:
        """Return the approved translation that serves a reader of the first language that has one; raises TemplateUnusable."""
        named = [translation for translation in self.translations if translation.name == name]
        if not named:
            raise TemplateUnusable(f"template {name!r} is not in the catalogue")
        approved = {translation.language: translation for translation in self.approved(name)}
        if not approved:
            raise TemplateUnusable(f"template {name!r} is not approved ({_statuses(named, together=True)})")
        for language in wanted:
            found = languages.best(language, approved)
            if found is not None:
                return approved[found]
        if not wanted:
            raise TemplateUnusable(
                f"nothing tells the language of template {name!r}: give custom.template.language, or set fallback_languages; "
                f"it has {', '.join(sorted(approved))}"
            )
        lost = [translation for translation in named if translation.status != APPROVED]
        raise TemplateUnusable(
            f"template {name!r} has no approved translation for {list(wanted)}; it has {', '.join(sorted(approved))}"
            + (f" ({_statuses(lost)})" if lost else "")
        )

    def approved(self, name: str) -> Sequence[Translation]:
        """Return the translations of a template that may be sent."""
        return [each for each in self.translations if each.name == name and each.status == APPROVED]


def _served(wanted: Sequence[str], translations: Iterable[Translation]) -> int:
    """Return which wanted language is the first that any of these serves; behind the last one, if none is."""
    codes = [translation.language for translation in translations]
    places = (place for place, language in enumerate(wanted) if languages.best(language, codes) is not None)
    return next(places, len(wanted))


def _statuses(translations: Sequence[Translation], *, together: bool = False) -> str:
    if together and len({translation.status for translation in translations}) == 1:
        return f"it is {translations[0].status}"
    return ", ".join(sorted(f"{each.language} is {each.status}" for each in translations))
