"""The web app: `web.app.create_app` and the server in `web.server`. Imports nothing itself."""
