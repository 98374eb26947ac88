"""What stands before the load balancer at the edge: Access in front of a hostname; and the edge's clock."""

import time
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import quote

from aiohttp import web

TEAM = "lab.cloudflareaccess.com"


@dataclass(frozen=True, slots=True)
class Access:
    """One application: the service token that its policy takes, and how others are refused.

    `login` True: led to the login page (302), as policies with the action Allow do; else 403. Headers as the
    real edge sends them are not established in every case: callers should take any of them for a refusal.
    """

    client_id: str = ""
    client_secret: str = ""
    login: bool = True

    def takes(self, request: web.BaseRequest) -> bool:
        given = (request.headers.get("CF-Access-Client-Id"), request.headers.get("CF-Access-Client-Secret"))
        return bool(self.client_id) and given == (self.client_id, self.client_secret)


@dataclass(slots=True)
class Door:
    """`applications` by hostname; `ahead` seconds by which the edge's clock is ahead of this host's."""

    applications: dict[str, Access] = field(default_factory=dict)
    ahead: float = 0.0

    def date(self) -> str:
        return formatdate(time.time() + self.ahead, usegmt=True)

    def refusal(self, hostname: str, request: web.BaseRequest) -> web.Response | None:
        access = self.applications.get(hostname)
        if access is None or access.takes(request):
            return None
        headers = {"Server": "cloudflare", "Date": self.date(), "CF-Access-Domain": hostname}
        if access.login:
            back = quote(request.path_qs, safe="")
            where = f"https://{TEAM}/cdn-cgi/access/login/{hostname}?redirect_url={back}"
            return web.Response(status=302, headers={**headers, "Location": where})
        return web.Response(status=403, text="<h1>Forbidden</h1>", content_type="text/html", headers=headers)
