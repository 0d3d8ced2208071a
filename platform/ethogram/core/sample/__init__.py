"""The made shop: invented customers, planted truths, raw tables. Everything here is made, none of it observed."""
