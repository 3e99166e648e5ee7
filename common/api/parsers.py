"""The API's JSON parser."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from common.api.unknown_fields import check_unknown_fields


class JsonParser(JSONParser):
    """JSON parser that answers 400 to bodies nested too deeply and to lone surrogates."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body; raise ParseError, or ValidationError for fields that the operation does not describe."""
        try:
            document = super().parse(stream, media_type, parser_context)
            # A lone surrogate is not a character: neither the database nor a response can hold it (RFC 8259, section 8.2).
            json.dumps(document, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("This JSON is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("This JSON contains a lone surrogate.") from error
        request = (parser_context or {}).get("request")
        match = getattr(request, "resolver_match", None)
        if request is not None and match is not None:
            check_unknown_fields(document, method=str(request.method), match=match)
        return document
