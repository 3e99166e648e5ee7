"""What the API reads: JSON that can be read to its end and written down again."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonParser(JSONParser):
    """JSON, refused with 400 where it is nested without end or holds halves of characters."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what the body says; raise ParseError."""
        try:
            found = super().parse(stream, media_type, parser_context)
            # Half of a surrogate pair is no character: no database and no answer can hold it (RFC 8259, section 8.2).
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("This JSON is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("This JSON holds half of a surrogate pair.") from error
        return found
