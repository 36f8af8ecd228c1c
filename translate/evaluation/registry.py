"""The evaluations by `Task.data` of the model."""

__all__ = ["EVALUATIONS", "load_evaluation"]

from translate.checkpoints.model_file import model_file, read_recipe
from translate.evaluation.evaluation import Evaluation, EvaluationOptions
from translate.evaluation.generation import GenerationEvaluation
from translate.evaluation.inpainting import InpaintingEvaluation
from translate.evaluation.labels.attributes import AttributeEvaluation
from translate.evaluation.labels.label_maps import LabelMapEvaluation
from translate.evaluation.paired import PairedEvaluation
from translate.evaluation.unpaired import UnpairedEvaluation
from translate.evaluation.upscaling import UpscalingEvaluation
from translate.tasks import TASKS
from translate.utils.errors import OptionError

DATA_OPTIONS = ("a", "b", "data", "images")
EVALUATIONS: dict[str, type[Evaluation]] = {
    "images": GenerationEvaluation, "masked": InpaintingEvaluation, "paired": PairedEvaluation,
    "unpaired": UnpairedEvaluation, "reduced": UpscalingEvaluation, "labelled": AttributeEvaluation,
}  # fmt: skip


def load_evaluation(options: EvaluationOptions) -> Evaluation:
    """Load the evaluation for the task of a model.

    Raises:
        OptionError, UserError: an option does not apply to the model; or as `Evaluation.load`.
    """
    recipe = read_recipe(model_file(options.model, options.weights))
    evaluation = LabelMapEvaluation if recipe.classes_of("b") else EVALUATIONS[TASKS[recipe.task].data]
    for name in evaluation.unused:
        if getattr(options, name) != getattr(EvaluationOptions, name):
            remedy = "leave it out"
            if name in DATA_OPTIONS:
                remedy = f"say what to score it on with {evaluation.data_options}"
            raise OptionError(f"--{name} means nothing to a model that {evaluation.purpose}; {remedy}")
    return evaluation.load(options)
