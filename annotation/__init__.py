"""Photos, faces, embeddings, clusters, identities, decisions, dataset versions."""
