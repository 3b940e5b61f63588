# For maintainers. Learners need start.py alone. Use the lab's environment (pipenv shell, .venv).
.PHONY: help lock lessons labs images screenshots record bundle image test

help:     ## list the targets
	@sed -n 's/^\([a-z]*\): *## /  \1\t/p' $(MAKEFILE_LIST)
lock:     ## write Pipfile.lock and pipenv.txt anew from Pipfile (internet)
	python tools/lock.py
lessons:  ## run the lessons and store their outputs
	python tools/run_lessons.py
labs:     ## make labs/*.ipynb from solutions/labs/lab_*.py (FORCE=1 saves answers first)
	python tools/make_labs.py
images:   ## draw images/*.svg from images/*.dot (Graphviz)
	python tools/draw.py
screenshots: ## take images/*.png anew (Chromium, Xvfb)
	python tools/screenshots.py
record:   ## write notebooks/08_docker.toml, what Docker says to lesson 8's lines (Docker)
	python tools/record_docker.py
bundle:   ## write churn-service.zip, what is deployed, from the last commit (git)
	python tools/bundle.py
image:    ## build the container image and check it (Docker, or root on Debian)
	python tests/image.py
test:     ## run the tests; LAB_SLOW=1 adds those that take long
	python start.py test
