"""Probes: /healthz says that the process answers, /readyz that it can do its work."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from customers.api.problems import DATABASE_IS_AWAY, MEDIA_TYPE, RETRY_AFTER_S, problem_body
from offers.queries import health

MAX_QUEUE_AGE_S = 120.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with each check, or 503 with what is wrong."""
    limit = float(getattr(settings, "READY_MAX_QUEUE_AGE_S", MAX_QUEUE_AGE_S))
    try:
        checks = _checks(max_queue_age_s=limit)
    except DATABASE_IS_AWAY:
        checks = {"database": "unreachable"}
    wrong = {name: state for name, state in checks.items() if state != "ok"}
    if not wrong:
        return JsonResponse({"status": "ok", "checks": checks, "alerts": _alerts()})
    detail = "; ".join(f"{name}: {state}" for name, state in wrong.items())
    return JsonResponse(
        problem_body(status=503, detail=detail, extra={"checks": checks}),
        status=503,
        content_type=MEDIA_TYPE,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _alerts() -> list[dict[str, str]]:
    """Return what someone should hear of although this process is well: lanes that send nothing."""
    return [
        {"lane": lane.name, "is": "stopped" if lane.stopped_at is not None else "closed", "cause": lane.cause}
        for lane in health.closed_lanes()
    ]


def _checks(*, max_queue_age_s: float) -> dict[str, str]:
    if not health.is_writable():
        return {"database": "read-only"}
    missing = health.count_missing_migrations()
    if missing:
        return {"database": "ok", "migrations": f"{missing} not applied"}
    age = health.oldest_due_age_s(now=timezone.now())
    queue = "ok" if age <= max_queue_age_s else f"the oldest due message has waited {age:.0f} s"
    return {"database": "ok", "migrations": "ok", "queue": queue}
