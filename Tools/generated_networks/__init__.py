"""Small networks of varied architecture, healthy ones and ones with a known defect, as doctor cases."""
