"""PostgreSQL and Valkey from wheels, and the supervisor that keeps them, the web server and the workers running."""
