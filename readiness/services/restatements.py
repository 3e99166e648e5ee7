"""Comments on restatements."""

from common.exceptions import InvalidInputError
from people.models import User
from readiness.models import MAX_COMMENT_LENGTH, Restatement


def comment_restatement(restatement: Restatement, *, comment: str, by: User) -> Restatement:
    """Save why a number was restated; raise InvalidInputError if the text is too long."""
    text = comment.strip()
    if len(text) > MAX_COMMENT_LENGTH:
        raise InvalidInputError({"comment": [f"At most {MAX_COMMENT_LENGTH:,} characters."]})
    restatement.comment, restatement.commented_by = text, by
    restatement.save(update_fields=["comment", "commented_by"])
    return restatement
