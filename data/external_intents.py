"""Keeps what only a timer may say out of what is learned.

Intents that begin with `EXTERNAL_` are triggered by follow-ups. Rasa's validator wants an example sentence for every intent of
the domain; a classifier that learned it could be talked into a follow-up by typed text. So the sentences stand in
`external_intents.yml` for the reader and the validator, and this first component of the pipeline takes them out of training.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

EXTERNAL_PREFIX = "EXTERNAL_"


# Registered as a featurizer: these, and tokenizers, are what Rasa runs over the training data before anything is trained.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class WithoutExternalIntents(GraphComponent):
    """Takes examples of external intents out of the training data; leaves customers' messages as they are."""

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
    return not (example.get(TEXT) and str(example.get(INTENT) or "").startswith(EXTERNAL_PREFIX))
