"""A folder as one commit of a repository on the Hub."""

__all__ = ["Destination", "look_up", "upload"]

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from translate.checkpoints.hub.errors import explained, import_hub
from translate.checkpoints.hub.fetch import SENDER
from translate.checkpoints.hub.name import HubName
from translate.utils.terminal import is_quiet


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A repository as it is before an upload."""

    repo: str  # user/name
    account: str  # that is logged in
    endpoint: str  # address of the Hub
    private: bool | None  # None if the repository does not exist
    files: Collection[str] = ()

    def describe(self, names: Collection[str], *, public: bool) -> str:
        """Say where files of these names would go, who would see them, and what they would replace."""
        place = f"to {self.repo} at {self.endpoint}, as {self.account}"
        if self.private is None:
            who = "public: everyone sees it" if public else "private: only you see it; --public shows it to everyone"
            return f"{place}; the repository is made, {who}"
        replaced = [name for name in names if name in self.files]
        who = "private" if self.private else "public: everyone sees it"
        return f"{place}; the repository exists and is {who}" + f"; replaced: {', '.join(replaced)}" * bool(replaced)


def look_up(repo: str) -> Destination:
    """Ask the Hub who is logged in, and what is in a repository.

    Raises:
        UserError: Nobody is logged in, or the Hub cannot be reached.
    """
    hub = import_hub()
    api = hub.HfApi(**SENDER)
    with explained(HubName(repo), "uploaded"):
        account = api.whoami()["name"]
        try:
            found = api.model_info(repo)
        except hub.errors.RepositoryNotFoundError:
            return Destination(repo=repo, account=account, endpoint=api.endpoint, private=None)
    files = {one.rfilename for one in found.siblings or ()}
    return Destination(repo=repo, account=account, endpoint=api.endpoint, private=bool(found.private), files=files)


def upload(folder: Path, destination: Destination, *, public: bool = False, message: str) -> str:
    """Upload the files of a folder in one commit; return its address.

    A repository that does not exist is made; one that does keeps its visibility, and its other files. After a failure
    nothing of the commit is visible, and large files that have arrived are not sent again.

    Raises:
        UserError: The account may not write there, the files are refused, or the network fails.
    """
    hub = import_hub()
    api = hub.HfApi(**SENDER)
    if is_quiet():
        hub.utils.disable_progress_bars()
    with explained(HubName(destination.repo), "uploaded"):
        if destination.private is None:
            api.create_repo(destination.repo, private=not public, exist_ok=True)
        files = sorted(path for path in folder.iterdir() if path.is_file())
        additions = [hub.CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=path) for path in files]
        commit = api.create_commit(destination.repo, additions, commit_message=message)
    return str(commit.commit_url)
