"""What all request bodies share: no unknown field, no conversion of types, only the given fields count."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


class Body(BaseModel):
    """Fields that the API marks read-only are declared nowhere: they are refused like unknown ones."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())

    def given(self) -> dict[str, Any]:
        """Only what the request named, by the API's own names."""
        return self.model_dump(exclude_unset=True, by_alias=True)


def _hundredths(value: float) -> float:
    if not 0 <= value <= 1 or abs(value * 100 - round(value * 100)) > 1e-9:
        raise ValueError("must be between 0 and 1 in steps of 0.01")
    return value


Share = Annotated[float, AfterValidator(_hundredths)]
