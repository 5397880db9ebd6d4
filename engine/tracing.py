"""Spans from the webhook to the call of the Graph API; the only module that knows OpenTelemetry.

Off, it imports nothing and stores nothing. On, what goes on in another process or later goes on in
the same trace: its W3C `traceparent` lies in the row. No span tells anything of a customer.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from engine.errors import EngineError, SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

NAMES: Final = frozenset({"webhook", "flow.exchange", "turn", "send", "graph", "sync.round"})
"""The spans there are."""
_OFF: Final = nullcontext()
_EXTRA: Final = "tracing is on (OTEL_*), and OpenTelemetry is missing: install comanda[otel]"


class Tracing:
    """What is traced with.

    Args:
        provider: of the SDK, with its exporters.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._trace = import_module("opentelemetry.trace")
        self._root: Context = import_module("opentelemetry.context").Context()
        propagation = import_module("opentelemetry.trace.propagation.tracecontext")
        self._carrier = propagation.TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("comanda")

    @contextmanager
    def span(
        self, name: str, context: "Context | None", attributes: Mapping[str, str]
    ) -> Iterator[None]:
        """Note that something is done while the block runs."""
        # Not what an exception says: it may quote a customer.
        with self._tracer.start_as_current_span(
            name, context, attributes=attributes, record_exception=False,
            set_status_on_exception=False,
        ) as span:  # fmt: skip
            try:
                yield
            except Exception as error:
                self._failed(span, error)
                raise

    def context(self, trace: str | None) -> "Context":
        """Give the context that a row was stored in; a new one if it has none."""
        headers = {"traceparent": trace} if trace else {}
        context: Context = self._carrier.extract(headers, context=self._root)
        return context

    def traceparent(self) -> str | None:
        """Write the current context."""
        headers: dict[str, str] = {}
        self._carrier.inject(headers)
        return headers.get("traceparent")

    def note(self, attributes: Mapping[str, str | int]) -> None:
        """Add to the current span."""
        self._trace.get_current_span().set_attributes(attributes)

    def close(self) -> None:
        """Give away what was noted."""
        self._provider.shutdown()

    def _failed(self, span: "Span", error: Exception) -> None:
        code: Any = getattr(error, "code", None)
        if isinstance(error, EngineError) and isinstance(code, int):
            span.set_attribute("code", code)
        span.set_status(self._trace.StatusCode.ERROR, type(error).__name__)


_active: list[Tracing] = []
"""The one that is on, if one is: a process has one exporter as it has one registry of metrics."""


def switch_on(provider: "TracerProvider | None" = None) -> None:
    """Trace from now on.

    Args:
        provider: the SDK's, made from the variables OTEL_* if none is given.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    switch_off()
    try:
        _active.append(Tracing(provider or _exporting()))
    except ImportError as error:
        raise SettingsError(_EXTRA) from error


def switch_off() -> None:
    """Give away what was noted, and trace no more."""
    while _active:
        _active.pop().close()


def begun(name: str, **attributes: str) -> AbstractContextManager[None]:
    """Begin a trace with what is done while the block runs."""
    return resumed(name, None, **attributes)


def resumed(name: str, trace: str | None, **attributes: str) -> AbstractContextManager[None]:
    """Go on in the trace of a row while the block runs; a new one if it has none."""
    if not _active:
        return _OFF
    return _active[0].span(name, _active[0].context(trace), attributes)


def within(name: str, **attributes: str) -> AbstractContextManager[None]:
    """Note what is done while the block runs, as a part of what it is done in."""
    return _active[0].span(name, None, attributes) if _active else _OFF


def note(**attributes: str | int) -> None:
    """Add to what is being done."""
    if _active:
        _active[0].note(attributes)


def traceparent() -> str | None:
    """Give what a row must hold for its trace to go on; None when nothing is traced."""
    return _active[0].traceparent() if _active else None


def _exporting() -> "TracerProvider":
    """Make the SDK's provider; its names, limits and addresses it reads from OTEL_* itself."""
    trace = import_module("opentelemetry.sdk.trace")
    export = import_module("opentelemetry.sdk.trace.export")
    otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resources = import_module("opentelemetry.sdk.resources")
    named = resources.Resource.create({"service.name": "comanda"})
    told = resources.OTELResourceDetector().detect()
    provider: TracerProvider = trace.TracerProvider(resource=named.merge(told))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return provider
