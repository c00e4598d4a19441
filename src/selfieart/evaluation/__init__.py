"""Every evaluation of the package in one place: what ``selfieart evaluate`` does, from Python.

Each command has a function here that takes one frozen dataclass of options and returns a dataclass of results:

    from selfieart.evaluation import SimilarityEvaluation, evaluate_similarity

    scores = evaluate_similarity(SimilarityEvaluation(Path("me.jpg"), Path("art.png")))
    print(scores.ssim, scores.to_json())

| command | options | function | result | needs the extra |
|---|---|---|---|---|
| parsing | ParsingEvaluation | evaluate_parsing | ParsingScores | methods, where side or painted is given |
| presets | PresetsEvaluation | evaluate_presets | StyleScores | methods |
| instant | InstantEvaluation | evaluate_instant | StyleScores | methods |
| encoder | EncoderEvaluation | evaluate_encoder | EncoderScores | methods |
| similarity | SimilarityEvaluation | evaluate_similarity | SimilarityScores | |
| video | VideoEvaluation | evaluate_video | VideoScores | methods, where a teacher is given |
| portrait-aware | PortraitAwareEvaluation | evaluate_portrait_aware | PortraitAwareScores | methods |
| methods | MethodsEvaluation | evaluate_methods | MethodsComparison | methods, for all but instant |

Nothing heavy is imported before a name is asked for. A name that needs an extra that is not installed raises
SelfieartError with the command that installs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfieart.lazy import lazily

if TYPE_CHECKING:
    from selfieart.evaluation.encoder import EncoderEvaluation, EncoderScores, evaluate_encoder
    from selfieart.evaluation.instant import InstantEvaluation, evaluate_instant
    from selfieart.evaluation.judge import StyleScores
    from selfieart.evaluation.methods import MethodsComparison, MethodsEvaluation, evaluate_methods
    from selfieart.evaluation.parsing import ParsingEvaluation, ParsingScores, evaluate_parsing
    from selfieart.evaluation.portrait_aware import (
        PortraitAwareEvaluation,
        PortraitAwareScores,
        evaluate_portrait_aware,
    )
    from selfieart.evaluation.presets import PresetsEvaluation, evaluate_presets
    from selfieart.evaluation.similarity import SimilarityEvaluation, SimilarityScores, evaluate_similarity
    from selfieart.evaluation.video import VideoEvaluation, VideoScores, evaluate_video

__all__ = [
    "EncoderEvaluation",
    "EncoderScores",
    "InstantEvaluation",
    "MethodsComparison",
    "MethodsEvaluation",
    "ParsingEvaluation",
    "ParsingScores",
    "PortraitAwareEvaluation",
    "PortraitAwareScores",
    "PresetsEvaluation",
    "SimilarityEvaluation",
    "SimilarityScores",
    "StyleScores",
    "VideoEvaluation",
    "VideoScores",
    "evaluate_encoder",
    "evaluate_instant",
    "evaluate_methods",
    "evaluate_parsing",
    "evaluate_portrait_aware",
    "evaluate_presets",
    "evaluate_similarity",
    "evaluate_video",
]

__getattr__ = lazily(
    __name__,
    {
        "encoder": ("EncoderEvaluation", "EncoderScores", "evaluate_encoder"),
        "instant": ("InstantEvaluation", "evaluate_instant"),
        "judge": ("StyleScores",),
        "methods": ("MethodsComparison", "MethodsEvaluation", "evaluate_methods"),
        "parsing": ("ParsingEvaluation", "ParsingScores", "evaluate_parsing"),
        "portrait_aware": ("PortraitAwareEvaluation", "PortraitAwareScores", "evaluate_portrait_aware"),
        "presets": ("PresetsEvaluation", "evaluate_presets"),
        "similarity": ("SimilarityEvaluation", "SimilarityScores", "evaluate_similarity"),
        "video": ("VideoEvaluation", "VideoScores", "evaluate_video"),
    },
    # Of these nothing works without torch; the others ask for it where they need it.
    dict.fromkeys(("encoder", "instant", "judge", "portrait_aware", "presets"), "methods"),
)
