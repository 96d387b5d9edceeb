select day, id, price, nullif(shop, '') as shop from accepted
