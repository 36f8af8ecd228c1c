"""What the Hub refuses, in one line with the way out."""

__all__ = ["explained", "import_hub"]

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from translate.checkpoints.hub.name import HubName
from translate.utils.errors import UserError, short_reason

LOGIN = "log in with `hf auth login`, or set HF_TOKEN"
TOKENS = "a token that may write is made in the settings of your account"
BUSY = (408, 429, 500, 502, 503, 504)


def import_hub() -> ModuleType:
    """Import huggingface_hub.

    Raises:
        UserError: It is not installed.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        how = "install it: pip install 'image-translate[hub]'"
        raise UserError(f"models on the Hub need {error.name}; {how}") from None
    return huggingface_hub


@contextmanager
def explained(name: HubName, verb: str) -> Iterator[None]:
    """Turn what the Hub, the network or the cache refuses into UserError.

    Args:
        name: Of the model that is fetched or uploaded.
        verb: What was tried: "fetched" or "uploaded".
    """
    hub = import_hub()
    try:
        yield
    except UserError:
        raise
    except (hub.errors.HTTPError, OSError, ValueError, RuntimeError) as error:
        is_wrapped = isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception)
        cause = error.__cause__ if is_wrapped else error
        raise UserError(f"{name}: {_explain(cause, name, verb, hub.errors)}") from error


def _explain(error: Any, name: HubName, verb: str, errors: Any) -> str:
    """Return what went wrong, and the way out."""
    for kind, words in _known_errors(name, verb).items():
        if isinstance(error, getattr(errors, kind)):
            return words
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return _explain_status(status, error, verb)
    if isinstance(error, errors.HTTPError | errors.LocalEntryNotFoundError):
        why = f"the Hub cannot be reached ({short_reason(error)})"
        return f"cannot be {verb}{_uncached(verb)}: {why}; check the network, and HF_ENDPOINT if it is set"
    if isinstance(error, ValueError):  # such as of a licence in the card
        return f"cannot be {verb}: the Hub refuses ({' '.join(str(error).split())[:300]})"
    return f"cannot be {verb} ({short_reason(error)}); run the same command again"


def _known_errors(name: HubName, verb: str) -> dict[str, str]:
    """Return what errors of the library mean, by their names, those of sub-classes first."""
    revision = name.revision or "main"
    missing = "there is no such model, or it is private; check the name, and for a private one"
    return {
        "LocalTokenNotFoundError": f"cannot be {verb}: you are not logged in; {LOGIN}",
        "GatedRepoError": f"is gated; ask for access on its page, then {LOGIN}",
        "DisabledRepoError": "was disabled by the Hub",
        "RevisionNotFoundError": f"has no revision {revision!r}; leave it out, or name a branch, a tag or a commit",
        "RemoteEntryNotFoundError": "holds no model.safetensors, so it is no model of this toolkit",
        "RepositoryNotFoundError": f"{missing} {LOGIN}",
        "OfflineModeIsEnabled": f"cannot be {verb}{_uncached(verb)}: HF_HUB_OFFLINE forbids to ask the Hub; unset it",
    }


def _explain_status(status: int, error: Any, verb: str) -> str:
    reason = getattr(error, "server_message", None) or f"status {status}"
    if status == 401:
        return f"cannot be {verb}: you are not logged in, or your token is no longer valid; {LOGIN}"
    if status == 403:
        how = TOKENS if verb == "uploaded" else f"ask its owner for access, then {LOGIN}"
        return f"cannot be {verb}: your account may not do that ({reason}); {how}"
    if status in BUSY:
        return f"cannot be {verb}: the Hub is busy or down ({reason}); run the same command later"
    return f"cannot be {verb}: the Hub refuses ({reason})"


def _uncached(verb: str) -> str:
    return ", and is not in the cache" if verb == "fetched" else ""
