print("pyralog")
