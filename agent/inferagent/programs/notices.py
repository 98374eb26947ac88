"""Who is told when this host falls ill: receivers from configuration and credential, and their messages."""

import os
import random
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from inferagent.adapters.notify_exec import NotifyExec
from inferagent.adapters.notify_file import NotifyFile
from inferagent.adapters.notify_webhook import Webhook
from inferagent.config.load import Loaded
from inferagent.config.secrets import NOTIFY_WEBHOOK, SecretError, read_secret
from inferagent.config.settings import Settings
from inferagent.ports import Clock, PortError, ReceiverPort
from inferagent.runtime.episodes import Episodes
from inferagent.runtime.notices import Notices

UNUSABLE = "notify-webhook-unusable"


def make_notices(
    loaded: Loaded, settings: Settings, clock: Clock, troubles: dict[str, str]
) -> tuple[Notices, Callable[[Settings], None]]:
    """The messages of this host, and what takes up other settings."""
    episodes = Episodes(settings.host.name, clock, settings.notify.after, lambda: secrets.token_hex(6))
    chance = random.Random().random  # noqa: S311 (it spreads retries)
    notices = Notices(NotifyFile(loaded.agent.state), clock, episodes, troubles, chance)

    def apply(changed: Settings) -> None:
        episodes.after = changed.notify.after
        notices.use(receivers(changed, loaded.folder, os.environ, troubles))

    apply(settings)
    return notices, apply


def receivers(
    settings: Settings, folder: Path, environ: Mapping[str, str], troubles: dict[str, str]
) -> tuple[ReceiverPort, ...]:
    """A webhook that cannot be used is said in `troubles` and left out: that is no reason not to serve."""
    found: list[ReceiverPort] = [NotifyExec(settings.notify.exec)] if settings.notify.exec else []
    troubles.pop(UNUSABLE, None)
    try:
        secret = read_secret(NOTIFY_WEBHOOK, folder, environ)
        url = secret.reveal() if secret else settings.notify.webhook
        if url:
            found.append(Webhook(url))
    except (SecretError, PortError) as problem:
        troubles[UNUSABLE] = str(problem)
    return tuple(found)
