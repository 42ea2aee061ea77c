"""Operations that change a network's shape."""
