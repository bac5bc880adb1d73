"""Policy packs (政策包): what a jurisdiction lays down, read, laid over each other, and told."""
