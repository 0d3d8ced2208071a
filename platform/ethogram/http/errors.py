"""Errors as answers: what, where, next; a page for people, JSON under /api. Only this module knows status codes."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ethogram.errors import AskedWrongly, EthogramError, Refused
from ethogram.http.pages.site import Site
from ethogram.http.security import headers_for
from ethogram.usecases.catalog.errors import NotInCatalog

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[EthogramError], int], ...] = ((NotInCatalog, 404), (Refused, 403), (AskedWrongly, 400))


def status_of(error: EthogramError) -> int:
    """Status of an answer that is this error; what could not be done is 503, for it may work later."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 503)


def install(app: FastAPI, site: Site) -> None:
    """Answer every error in one form."""

    def answer(request: Request, status: int, code: str, message: str) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
        what, _, rest = message.partition("\n")
        return site.page(
            request, "error.html", None, status=status, code=code, what=what, rest=rest, status_code=status
        )

    @app.exception_handler(EthogramError)
    def known(request: Request, error: EthogramError) -> Response:
        return answer(request, status_of(error), error.code, str(error))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            message = f"there is no page at {request.url.path}\nnext: start at / or search above"
        else:
            message = f"{error.detail or HTTPStatus(error.status_code).phrase}: {request.method} {request.url.path}"
        return answer(
            request, error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"), message
        )

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        problems = [f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg'].lower()}" for e in error.errors()[:5]]
        return answer(request, 400, "asked-wrongly", f"{request.url.path} was asked wrongly\n" + "\n".join(problems))

    @app.exception_handler(Exception)
    def unknown(request: Request, error: Exception) -> Response:
        reference = secrets.token_hex(4)
        log.error("error %s at %s", reference, request.url.path, exc_info=error)
        message = f"something broke while making {request.url.path}\nnext: look for {reference} in the server's log"
        response = answer(request, 500, "error", message)
        response.headers.update(headers_for(request.url.path))  # made outside the middleware that sets them
        return response
