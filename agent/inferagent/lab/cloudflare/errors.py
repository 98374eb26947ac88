"""The API's failures, each with its HTTP status and error code."""

from typing import Any

from pydantic import ValidationError


class ApiError(Exception):
    """A refused call. `chain` is the API's `error_chain`: the inner reasons."""

    def __init__(
        self, status: int, code: int, message: str, chain: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.chain = chain or []
        self.headers: dict[str, str] = {}

    def entry(self) -> dict[str, Any]:
        told: dict[str, Any] = {"code": self.code, "message": self.message}
        return told | {"error_chain": self.chain} if self.chain else told


def not_found(what: str) -> ApiError:
    return ApiError(404, 1001, f"{what} not found")


def invalid(reason: str) -> ApiError:
    return ApiError(400, 1002, f"{reason}: validation failed")


def not_unique(what: str) -> ApiError:
    return ApiError(400, 1003, f"{what}: value not unique")


def referenced(by: list[str]) -> ApiError:
    return ApiError(412, 1005, f"still referenced by {', '.join(by)}; remove these references first")


def invalid_dns(code: int, reason: str) -> ApiError:
    return ApiError(400, 1004, "DNS Validation Error", [{"code": code, "message": reason}])


def reasons(error: ValidationError) -> str:
    """Every complaint with the path of its field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in found)
