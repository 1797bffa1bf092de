"""What is measured and how: accuracy, activity, exactness."""
