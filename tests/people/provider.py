"""A small OpenID Connect provider on this machine: discovery, authorisation code with PKCE, signed ID tokens, user information."""

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "on-call", "the client's secret"


class Provider(http.server.BaseHTTPRequestHandler):
    """Signs in the person of `server.person`, a dictionary of claims, without asking; refuses everybody if it is None."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        given = dict(urllib.parse.parse_qsl(query))
        issuer = self.server.issuer
        if path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorise",
                    "token_endpoint": f"{issuer}/token",
                    "userinfo_endpoint": f"{issuer}/userinfo",
                    "jwks_uri": f"{issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif path == "/keys":
            key = jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key(), as_dict=True)
            self._answer({"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]})
        elif path == "/authorise":
            self._authorise(given)
        elif path == "/userinfo":
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            known = scheme == "Bearer" and token in self.server.tokens
            self._answer(self.server.tokens[token] if known else {}, status=200 if known else 401)
        else:
            self._answer({}, status=404)

    def _authorise(self, given):
        assert given["client_id"] == CLIENT
        assert given["response_type"] == "code"
        assert {"openid", "email"} <= set(given["scope"].split())
        answer = {"state": given["state"]}
        if self.server.person is None:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.server.codes[answer["code"]] = {**given, "person": self.server.person}
        self.send_response(302)
        self.send_header("Location", f"{given['redirect_uri']}?{urllib.parse.urlencode(answer)}")
        self.end_headers()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        given = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        asked = self.server.codes.pop(given.get("code", ""), None)
        verifier = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        right = (
            asked is not None
            and (given["client_id"], given["client_secret"]) == (CLIENT, SECRET)
            and given["redirect_uri"] == asked["redirect_uri"]
            and base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not right:
            self._answer({"error": "invalid_grant"}, status=400)
            return
        now = int(time.time())
        claims = {"iss": self.server.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, **asked["person"]}
        token = secrets.token_urlsafe(16)
        self.server.tokens[token] = {**asked["person"], **self.server.said_otherwise}
        signed = jwt.encode(claims, self.server.key, algorithm="RS256", headers={"kid": "one"})
        self._answer({"access_token": token, "token_type": "Bearer", "expires_in": 60, "id_token": signed})

    def _answer(self, body, *, status=200):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def running_provider():
    """Yield a provider that runs; its address is `issuer`, who signs in `person`."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.issuer = f"http://127.0.0.1:{server.server_port}"
    server.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server.codes, server.tokens, server.person, server.said_otherwise = {}, {}, None, {}
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
