"""Keeps what no customer types out of what is learned: what only a timer says, and what is sent without words.

Intents that begin with `EXTERNAL_` are triggered by follow-ups, those that begin with `whatsapp_` by the channel (a photo, a
location), `show_parked` by a tap. Rasa's validator wants an example sentence for every intent; a classifier that learned it could be talked into
the intent by typed text. So the sentences stand in `external_intents.yml` for the reader and the validator, and this first
component of the pipeline takes them out of training.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

NEVER_TYPED = ("EXTERNAL_", "whatsapp_", "show_parked")
# STOP and START come from the channel, but the same wish is also typed in a sentence.
ALSO_TYPED = frozenset({"whatsapp_opt_out", "whatsapp_opt_in"})


# Registered as a featurizer: these, and tokenizers, are what Rasa runs over the training data before anything is trained.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class WithoutExternalIntents(GraphComponent):
    """Takes examples of intents that no customer types out of the training data; leaves customers' messages as they are."""

    @classmethod
    def create(cls, *_: Any, **__: Any) -> WithoutExternalIntents:
        """Return the component; it has no settings."""
        return cls()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Return the training data without sentences that no customer says."""
        return training_data.filter_training_examples(_may_be_typed)

    def process(self, messages: list[Message]) -> list[Message]:
        """Return the messages unchanged."""
        return messages


def _may_be_typed(example: Message) -> bool:
    # Rasa passes the intents of rules through here too, without a text: those must stay.
    intent = str(example.get(INTENT) or "")
    return not example.get(TEXT) or intent in ALSO_TYPED or not intent.startswith(NEVER_TYPED)
