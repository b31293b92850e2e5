"""HTTP doors: what is answered to requests; connections are the affair of ``servers.http``."""
