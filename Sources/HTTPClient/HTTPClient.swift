package enum CurlStub {}
