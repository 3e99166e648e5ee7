"""Pure arithmetic of messages: when it is quiet, how long to wait after a failure."""
