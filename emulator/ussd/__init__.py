"""USSD sessions as the gateway of Africa's Talking runs them."""
