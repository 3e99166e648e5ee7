"""Calendars read by libical, which is not ours: its parser, and its check of RFC 5545 and 5546's rules on what may and must be there."""

import ctypes

LIBRARY = "libical.so.3"
VALID = 1


def _library():
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise AssertionError("The tests of calendars need libical: sudo apt-get install libical3") from error
    library.icalparser_parse_string.restype = ctypes.c_void_p
    library.icalparser_parse_string.argtypes = [ctypes.c_char_p]
    library.icalrestriction_check.restype = ctypes.c_int
    library.icalrestriction_check.argtypes = [ctypes.c_void_p]
    library.icalcomponent_count_errors.restype = ctypes.c_int
    library.icalcomponent_count_errors.argtypes = [ctypes.c_void_p]
    library.icalcomponent_as_ical_string.restype = ctypes.c_char_p
    library.icalcomponent_as_ical_string.argtypes = [ctypes.c_void_p]
    library.icalcomponent_free.argtypes = [ctypes.c_void_p]
    return library


def complaints(text):
    """Return what libical finds wrong with a calendar, none where it accepts it."""
    library = _library()
    calendar = library.icalparser_parse_string(text.encode())
    if not calendar:
        return ["libical finds no component in it"]
    try:
        errors = library.icalcomponent_count_errors(calendar)
        if library.icalrestriction_check(calendar) == VALID and errors == 0:
            return []
        lines = library.icalcomponent_as_ical_string(calendar).decode().replace("\r\n ", "").splitlines()
        return [line for line in lines if "X-LIC-ERROR" in line] or ["libical refuses it and does not say why"]
    finally:
        library.icalcomponent_free(calendar)
