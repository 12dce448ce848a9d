"""Why a comparison cannot be made."""


class MeasurementError(ValueError):
    """A comparison that cannot be made as asked; the message says why and what would help."""


class SettingsError(MeasurementError):
    """A budget, margin, confidence or thread count that makes no sense."""


class DeviceError(MeasurementError):
    """A device that is not there."""


class TooFastError(MeasurementError):
    """A callable that takes no longer than calling nothing."""


class BudgetError(MeasurementError):
    """A callable too slow for the budget; `needed_s` would be enough, where that is known."""

    def __init__(self, message: str, needed_s: float | None = None) -> None:
        super().__init__(message)
        self.needed_s = needed_s


class MakerError(MeasurementError):
    """A function that should make an arm and does not."""
