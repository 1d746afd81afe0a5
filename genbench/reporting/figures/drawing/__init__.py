"""What figures are drawn with: canvas and colours, sheets of panels, files that carry a digest."""
