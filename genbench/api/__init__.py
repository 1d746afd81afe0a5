"""What `import genbench` offers: functions that the command line calls too."""
