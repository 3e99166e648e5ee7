"""The API's calls about hand-offs, a file for each noun."""

from handoffs.api.feeds import FeedViewSet
from handoffs.api.handoffs import HandoffViewSet
from handoffs.api.items import ActionItemViewSet

__all__ = ["ActionItemViewSet", "FeedViewSet", "HandoffViewSet"]
