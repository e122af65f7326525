"""Running models: in child processes only, because native runtimes abort on damaged files."""
