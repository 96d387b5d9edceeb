select day, id, price from typed where not malformed and price < 10
